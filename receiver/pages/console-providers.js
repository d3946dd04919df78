// The providers: how each is doing, what it spent, how its newest videos went, and the buttons that pause it.

import { api, KeyNeeded } from "./console-api.js";
import { creditChart, durationChart, durationCurve } from "./console-charts.js";
import { pauseProvider, resumeProvider } from "./console-confirm.js";
import { $, KeyedList, node, Part, setAttribute, setText } from "./console-dom.js";
import { count, counted, facts, moment, seconds, section, signed, span, when, words } from "./console-format.js";
import { levelOf, refreshStatus, status } from "./console-status.js";

const SAMPLE = 200;
let only = null;
const samples = new Map();
let details = new Map();

const cards = new KeyedList($("providers-list"), {
  key: (provider) => provider.name,
  create: createCard,
  update: updateCard,
});

/** Show all providers, or the one that the address names. */
export async function openProviders(name) {
  only = name;
  setText($("providers-title"), name ?? "Providers");
  $("providers-all").hidden = !name;
  showProviders();
  await refreshProviders();
}

/** Read anew how the providers' newest videos went. */
export async function refreshProviders() {
  const names = shownNames();
  await Promise.all([readDetails(), ...names.map(async (name) => {
    try {
      samples.set(name, summary((await api(`/v1/videos?provider=${encodeURIComponent(name)}&limit=${SAMPLE}`)).items, name));
    } catch (error) {
      if (!(error instanceof KeyNeeded)) samples.set(name, null);
    }
  })]);
  showProviders();
}

async function readDetails() {
  try {
    details = new Map((await api("/v1/providers")).items.map((item) => [item.name, item]));
  } catch {
    details = new Map(); // the banner says what is wrong
  }
}

const shownNames = () => Object.keys(status()?.status.providers ?? {}).filter((name) => !only || name === only);

export function showProviders() {
  const found = status();
  $("no-provider").hidden = !found || shownNames().length > 0;
  cards.show(shownNames().map((name) => ({
    name, state: found.status.providers[name], credits: found.credits[name], sample: samples.get(name), more: details.get(name),
  })));
}

// ---- a card ------------------------------------------------------------------------------------------------

function createCard({ name }) {
  const head = node("header", {}, node("h2", {}, node("i"), node("a", { href: `/console/providers/${name}`, "data-link": "" }, name)),
    node("a", { href: `/console?provider=${name}`, "data-link": "" }, "Its videos"),
    node("a", { href: `/console/drift?provider=${name}`, "data-link": "" }, "New answers"),
    node("button", { type: "button", "data-scope": "operate", onclick: () => press(name) }));
  const card = node("article", { class: "provider", "data-provider": name }, head);
  card.parts = Object.fromEntries(["state", "webhooks", "budget", "answers", "durations", "credits", "sample"].map((part) => [part, new Part(card)]));
  return card;
}

function updateCard(card, { name, state, credits, sample, more }) {
  const button = card.querySelector("header button");
  setAttribute(card, "data-state", levelOf(state));
  setText(button, state.paused ? `Resume ${name}` : `Pause ${name}`);
  button.hidden = !state.enabled;
  card.parts.state.show(state, () => [section("State", stateFacts(state))]);
  card.parts.webhooks.show(state.webhooks ?? 0, () => [webhookSection(state.webhooks)]);
  const submissions = more?.submission_budget;
  card.parts.budget.show([more?.budget ?? 0, submissions ?? 0], () => [
    more ? section("Requests", budgetFacts(more.budget)) : null,
    submissions ? section("Submissions", budgetFacts(submissions)) : null,
  ]);
  card.parts.answers.show(more?.answer_times ?? 0, () => [more ? answerSection(more.answer_times) : null]);
  card.parts.durations.show(more?.durations ?? 0, () => [more ? durationSection(more.durations) : null]);
  card.parts.credits.show(credits, () => [credits ? section("Credits", creditFacts(credits), creditChart(credits)) : null]);
  card.parts.sample.show(sample ?? 0, () => [sampleSection(sample)]);
}

async function press(name) {
  const paused = status().status.providers[name].paused;
  await (paused ? resumeProvider(name) : pauseProvider(name));
  await refreshStatus();
}

function circuitFacts(circuit) {
  const closed = circuit.state === "closed";
  return {
    "circuit breaker": words(circuit.state),
    [closed ? "last outage ended" : "away since"]: circuit.since && when(circuit.since),
    reason: closed ? null : circuit.reason,
    "next test": circuit.probe_at && when(circuit.probe_at),
  };
}

function stateFacts(state) {
  const { circuit } = state;
  return facts({
    state: words(state.state),
    credentials: !state.enabled ? "none are set" : state.authorized ? "accepted" : `refused since ${moment(state.unauthorized_since)}`,
    ...circuitFacts(circuit),
    paused: state.paused && `by ${state.paused_by} since ${when(state.paused_since)}`,
    "asked for a pause until": state.paused_until && when(state.paused_until),
  });
}

function webhookSection(webhooks) {
  if (!webhooks) return section("Webhooks", node("p", { class: "hint" }, "It calls nobody back: its jobs are asked about."));
  if (!webhooks.videos) return section("Webhooks", node("p", { class: "hint" }, "None of its videos has ended well yet."));
  return section("Webhooks", facts({
    came: `for ${count(webhooks.arrived)} of its newest ${counted(webhooks.videos, "video")} (${Math.round((100 * webhooks.arrived) / webhooks.videos)} %)`,
    "missed in a row": webhooks.missed_in_a_row ? count(webhooks.missed_in_a_row) : null,
    "from webhook to end": webhooks.seconds_to_end === null ? null : `${span(webhooks.seconds_to_end)}, median`,
  }));
}

function budgetFacts(budget) {
  return facts({
    used: `${Math.round(100 * Math.min(1, Math.max(0, 1 - budget.left / budget.burst)))} %`,
    "may be made at once": count(Math.max(0, Math.floor(budget.left))),
    "a minute": count(Math.round(budget.a_minute)),
  });
}

function answerSection(times) {
  if (!times) return section("Answers", node("p", { class: "hint" }, "It has accepted no submission yet."));
  const short = (time) => (time < 1 ? `${Math.round(1000 * time)} ms` : span(time));
  return section("Answers", facts({
    "to its newest": counted(times.submissions, "submission"), median: short(times.median), "90 %": `within ${short(times.nine_in_ten)}`,
  }));
}

// ---- credits -----------------------------------------------------------------------------------------------

function creditFacts(credits) {
  return facts({
    remaining: credits.remaining === null ? "never reported" : count(credits.remaining),
    reported: credits.remaining_at && when(credits.remaining_at),
    spent: count(credits.spent), refunded: count(credits.refunded),
    "of unknown outcome": count(credits.unknown ?? 0), unexplained: signed(credits.unexplained ?? 0),
  });
}

// ---- how long its jobs take, as was learnt -----------------------------------------------------------------

function durationSection(points) {
  if (!points.length) return section("Learnt durations", node("p", { class: "hint" }, "Too few jobs have ended to learn from."));
  const at = (share) => points.find((point) => point.share >= share)?.seconds ?? points.at(-1).seconds;
  return section("Learnt durations", facts({ median: span(at(0.5)), "90 %": `within ${span(at(0.9))}` }), durationCurve(points));
}

// ---- how its newest videos went ----------------------------------------------------------------------------

function summary(videos, name) {
  const attempts = videos.flatMap((video) => video.attempts).filter((attempt) => attempt.provider === name);
  const ended = attempts.filter((attempt) => attempt.finished_at);
  const good = ended.filter((attempt) => attempt.status === "succeeded");
  const faults = {};
  for (const attempt of ended) if (attempt.error) faults[attempt.error.code] = (faults[attempt.error.code] ?? 0) + 1;
  const took = good.filter((attempt) => attempt.submitted_at).map((attempt) => seconds(attempt.submitted_at, attempt.finished_at)).sort((a, b) => a - b);
  return { ended: ended.length, good: good.length, faults, took, webhooks: good.filter((attempt) => attempt.detected_by === "webhook").length };
}

function sampleSection(sample) {
  if (sample === null) return section("Newest videos", node("p", { class: "hint" }, "They cannot be read now."));
  if (!sample?.ended) return section("Newest videos", node("p", { class: "hint" }, sample ? "None has ended yet." : "reading …"));
  const faults = Object.entries(sample.faults).sort((a, b) => b[1] - a[1]).map(([code, number]) => `${words(code)} ${count(number)}`);
  const at = (share) => sample.took[Math.min(sample.took.length - 1, Math.floor(sample.took.length * share))];
  return section(`Newest ${counted(sample.ended, "attempt")}`, facts({
    succeeded: `${count(sample.good)} (${Math.round((100 * sample.good) / sample.ended)} %)`,
    failed: faults.join(", ") || "none",
    "found by webhook": sample.good ? `${count(sample.webhooks)} of ${count(sample.good)}` : null,
    "took, median": sample.took.length ? span(at(0.5)) : null,
    "took, 90 %": sample.took.length ? `within ${span(at(0.9))}` : null,
  }), durationChart(sample.took));
}
