// What waits between the service and RabbitMQ, and who did what.

import { api, KeyNeeded } from "./console-api.js";
import { $, KeyedList, node, Part, setText } from "./console-dom.js";
import { count, counted, facts, span, topic, when, words } from "./console-format.js";
import { status } from "./console-status.js";

const parts = Object.fromEntries(["broker", "outbox", "commands"].map((name) => [name, new Part($("operations-body"))]));

/** Show the broker, the outbox and the commands as they were at the newest look. */
export function showOperations() {
  const found = status()?.status;
  if (!found) return;
  parts.broker.show(found.broker ?? 0, () => [topic("RabbitMQ", facts({
    publisher: !found.broker ? "another process publishes" : found.broker.ready ? "connected" : "away",
    fault: found.broker?.fault,
  }))]);
  parts.outbox.show(found.outbox, () => [topic("Outbox", outbox(found.outbox),
    node("p", { class: "hint" }, "Events stay here until RabbitMQ has confirmed them. Nothing is lost while it is away."))]);
  parts.commands.show(found.commands ?? 0, () => [topic("Commands", ...commands(found.commands))]);
}

function outbox(found) {
  return facts({
    unpublished: found.unpublished >= 10000 ? "10,000 or more" : count(found.unpublished),
    "oldest waits": found.unpublished ? span(found.oldest_seconds) : null,
    refused: found.refused ? `${counted(found.refused, "event")}, tried again within the hour` : "none",
    "last error": found.last_error,
  });
}

function commands(found) {
  if (!found) return [node("p", { class: "hint" }, "This process takes no commands from RabbitMQ.")];
  const parked = found.dead_letters;
  return [
    facts({
      consumer: !found.link ? "in another process" : found.link.ready ? "connected" : "away", fault: found.link?.fault,
      "dead letters": parked === null ? "not known" : count(parked),
    }),
    parked ? node("p", {}, "They are listed below; in a shell, ", node("code", {}, "reelbus dead list"), " and ", node("code", {}, "reelbus dead requeue"), " do the same.") : null,
  ];
}

// ---- the audit log -----------------------------------------------------------------------------------------

let entries = new Map();
let nextCursor = null;

const rows = new KeyedList($("audit-rows"), {
  key: (entry) => entry.id,
  create: (entry) => node("tr", {},
    node("td", { "data-label": "When" }, node("time", { datetime: entry.at }, when(entry.at))),
    node("td", { "data-label": "Who" }, entry.actor), node("td", { "data-label": "What" }, words(entry.action)),
    node("td", { "data-label": "On" }, subject(entry)), node("td", { class: "wide", "data-label": "Detail" }, entry.detail ?? "")),
});

function subject(entry) {
  const known = /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(entry.subject ?? "");
  return known ? node("a", { href: `/console/videos/${entry.subject}`, "data-link": "" }, node("code", {}, entry.subject)) : entry.subject ?? "";
}

export async function refreshAudit({ older = false } = {}) {
  try {
    const page = await api(`/v1/audit?limit=100${older && nextCursor ? `&cursor=${nextCursor}` : ""}`);
    if (older || !entries.size) nextCursor = page.next_cursor;
    for (const entry of page.items) entries.set(entry.id, entry);
    setText($("audit-fault"), "");
  } catch (error) {
    if (error instanceof KeyNeeded) entries = new Map();
    else setText($("audit-fault"), `The audit log cannot be read: ${error.message}.`);
  }
  rows.show([...entries.values()].sort((a, b) => Number(b.id) - Number(a.id)));
  $("audit-more").hidden = !nextCursor;
  $("no-audit").hidden = entries.size > 0 || $("audit-fault").textContent !== "";
}

export function startOperations() {
  $("audit-more").addEventListener("click", () => refreshAudit({ older: true }));
}
