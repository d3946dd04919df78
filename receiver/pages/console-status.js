// The state of the service: what is wrong is said in the banner, and a tile is green only while it is known to be well.

import { api, KeyNeeded, Refused } from "./console-api.js";
import { $, KeyedList, node, setAttribute, setText } from "./console-dom.js";
import { clock, count, counted, moment, signed, span, words } from "./console-format.js";

let newest = null;
let fault = null;
const watchers = [];

/** Be told of every new look at the service: `{status, credits, at}`, or null while there was none. */
export const onStatus = (work) => watchers.push(work);
export const status = () => newest;

export async function refreshStatus() {
  try {
    const [found, credits] = await Promise.all([api("/v1/status"), api("/v1/credits")]);
    newest = { status: found, credits, at: Date.now() };
    fault = null;
  } catch (error) {
    if (error instanceof KeyNeeded) return;
    fault = { since: fault?.since ?? Date.now(), text: faultOf(error) };
  }
  troubleList.show(troubles());
  tileList.show(tiles());
  watchers.forEach((work) => work(newest, fault));
}

function faultOf(error) {
  if (!(error instanceof Refused)) return `The service is away: ${error.message}.`;
  if (error.status === 403) return `This key may not see the state of the service: ${error.message}`;
  return `The service answers with a fault: ${error.message}`;
}

// ---- what is wrong -----------------------------------------------------------------------------------------

const troubleList = new KeyedList($("troubles"), {
  key: (trouble) => trouble.key,
  create: (trouble) => node("li", { "data-level": trouble.level }, node("span", {}),
    trouble.href ? node("a", { href: trouble.href, "data-link": "" }, "Show") : null),
  update: (element, trouble) => {
    setAttribute(element, "data-level", trouble.level);
    setText(element.firstChild, trouble.text);
  },
});

function troubles() {
  if (fault) {
    const seen = newest ? ` What is shown is as of ${clock(newest.at)}.` : "";
    return [{ key: "service", level: "bad", text: `${fault.text} Since ${clock(fault.since)}.${seen}` }];
  }
  const found = newest.status;
  const operations = "/console/operations";
  const told = [];
  if (!found.store.ready) told.push(bad("store", `The store is away: ${found.store.fault}. No request is accepted.`));
  if (found.broker && !found.broker.ready) {
    const waiting = counted(found.outbox.unpublished, "event");
    told.push(bad("broker", `RabbitMQ is away: ${found.broker.fault}. ${waiting} wait and follow when it is back.`, operations));
  }
  if (found.commands?.link && !found.commands.link.ready && found.broker?.ready) {
    told.push(bad("commands", `Commands are not taken: ${found.commands.link.fault}.`, operations));
  }
  if (found.public_address && !found.public_address.ready) {
    told.push(bad("public-address", `Our own requests to the public address do not come back any more: ${found.public_address.fault}. Webhooks and pictures that providers fetch may be missed; polling finds the videos.`, "/console/webhooks"));
  }
  if (found.outbox.refused) told.push(bad("refused", `RabbitMQ refuses ${counted(found.outbox.refused, "event")}: ${found.outbox.last_error}`, operations));
  if (found.commands?.dead_letters) told.push(warning("dead", `${counted(found.commands.dead_letters, "command is", "commands are")} parked as dead letters.`, operations));
  if (Object.values(found.providers).every((state) => !state.enabled)) told.push(bad("no-provider", "No provider has credentials: no video can be made."));
  for (const [name, state] of Object.entries(found.providers)) {
    const text = troubleOfProvider(name, state);
    if (text) told.push({ key: `provider ${name}`, level: levelOf(state), text, href: `/console/providers/${name}` });
    const missed = state.webhooks?.missed_in_a_row ?? 0;
    if (missed >= 3) told.push(warning(`webhooks ${name}`, `No webhook of ${name} came for its newest ${count(missed)} videos; polling found them. Is the route to us open?`, `/console/providers/${name}`));
  }
  return told;
}

const bad = (key, text, href) => ({ key, level: "bad", text, href });
const warning = (key, text, href) => ({ key, level: "warn", text, href });

function troubleOfProvider(name, state) {
  switch (state.state) {
    case "refusing": return `${name} refuses our key since ${moment(state.unauthorized_since)}: check its credentials.`;
    case "out_of_credits": return `${name} has refused submissions since ${moment(state.out_of_credits_since)}: no credits are left. Buy some.`;
    case "away": return `${name} is away since ${moment(state.circuit.since)}: ${state.circuit.reason}. Its work waits.`;
    case "testing": return `${name} was away; one submission tests whether it is back.`;
    case "paused": return `${name} is paused by ${state.paused_by} since ${moment(state.paused_since)}: it is given no new work.`;
    case "throttled": return `${name} asked for a pause until ${moment(state.paused_until)}.`;
    default: return null;
  }
}

// ---- tiles -------------------------------------------------------------------------------------------------

/** How a provider's state is coloured; a state that is not known here is not green. */
export const levelOf = (state) =>
  ({ ready: "good", off: "off", paused: "warn", testing: "warn", throttled: "warn" })[state.state] ?? "bad";

const tileList = new KeyedList($("tiles"), {
  key: (tile) => tile.title,
  create: (tile) => node(tile.href ? "a" : "article", { class: "tile", href: tile.href, "data-link": tile.href ? "" : null },
    node("h2", {}, node("i"), tile.title), node("div", { class: "big" }), node("div", { class: "small" })),
  update: (element, tile) => {
    setAttribute(element, "data-state", tile.state);
    setText(element.children[1], tile.big);
    setText(element.children[2], tile.small);
  },
});

function tiles() {
  if (!newest) return [{ title: "Service", state: "bad", big: "away", small: fault.text }];
  const shown = allTiles(newest.status, newest.credits);
  if (!fault) return shown;
  return shown.map((tile) => ({ ...tile, state: "unknown", small: `not known now; at ${clock(newest.at)}: ${tile.small}` }));
}

function allTiles(found, credits) {
  const open = Object.values(found.open_videos).reduce((sum, number) => sum + number, 0);
  const work = Object.entries(found.open_videos).map(([name, number]) => `${count(number)} ${name}`).join(", ");
  const waiting = found.outbox.unpublished;
  const parked = found.commands?.dead_letters;
  const operations = "/console/operations";
  return [
    { title: "In work", state: open ? "busy" : "good", big: count(open), small: work || "nothing to do" },
    { title: "RabbitMQ", href: operations, ...brokerTile(found) },
    {
      title: "Outbox", href: operations, state: found.outbox.refused ? "bad" : waiting ? "busy" : "good", big: count(waiting),
      small: waiting ? `the oldest event waits ${span(found.outbox.oldest_seconds)}` : "every event is published",
    },
    ...(found.public_address ? [{ title: "Public address", href: "/console/webhooks", ...addressTile(found.public_address) }] : []),
    ...(parked ? [{ title: "Dead letters", href: operations, state: "warn", big: count(parked), small: "commands are parked" }] : []),
    ...Object.entries(found.providers).map(([name, state]) => providerTile(name, state, credits[name])),
  ];
}

function brokerTile(found) {
  if (!found.broker) return { state: "off", big: "elsewhere", small: "another process publishes" };
  if (!found.broker.ready) return { state: "bad", big: "away", small: found.broker.fault };
  return { state: "good", big: "connected", small: "takes our events" };
}

function addressTile(address) {
  return address.ready ? { state: "good", big: "open", small: "our own requests come back" } : { state: "bad", big: "lost", small: address.fault };
}

function providerTile(name, state, credit) {
  const balance = !credit ? "–" : credit.remaining === null ? `${count(credit.spent)} spent` : counted(credit.remaining, "credit");
  const odd = credit?.unexplained ? `, ${signed(credit.unexplained)} unexplained` : "";
  const spent = credit && credit.remaining !== null ? `${count(credit.spent)} spent, ` : "";
  const ledger = credit ? `${spent}${count(credit.refunded)} refunded${odd}` : "";
  const well = state.state === "ready";
  return {
    title: name, href: `/console/providers/${name}`, state: levelOf(state),
    big: well ? balance : state.state === "refusing" ? "refuses our key" : words(state.state),
    small: state.state === "off" ? "has no credentials here" : well ? ledger : troubleOfProvider(name, state) ?? ledger,
  };
}
