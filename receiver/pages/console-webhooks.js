// What providers sent to our webhook addresses: what was recorded, and what was refused.

import { api, KeyNeeded } from "./console-api.js";
import { $, KeyedList, node, setText } from "./console-dom.js";
import { count, when } from "./console-format.js";

const PAGE = 50;
const deliveries = new Map();
let nextCursor = null;

const cell = (label, ...content) => node("td", { "data-label": label }, ...content);
const wide = (label, ...content) => node("td", { class: "wide", "data-label": label }, ...content);

const rows = new KeyedList($("webhook-rows"), {
  key: (delivery) => delivery.id,
  create: (delivery) => node("tr", {},
    cell("When", node("time", { datetime: delivery.received_at }, when(delivery.received_at))),
    cell("Provider", delivery.provider ?? "not known"), wide("Video", videoOf(delivery)),
    cell("Acted on", ""), wide("Body", bodyOf(delivery))),
  update: (row, delivery) => setText(row.children[3], effect(delivery)),
});

const refusedRows = new KeyedList($("refused-rows"), {
  key: (refused) => refused.id,
  create: (refused) => node("tr", {},
    cell("When", node("time", { datetime: refused.at }, when(refused.at))),
    cell("Provider", refused.provider), cell("From", refused.peer), wide("Why", refused.reason)),
});

function videoOf(delivery) {
  if (!delivery.video_id) return "erased";
  const which = delivery.attempt > 1 ? ` attempt ${delivery.attempt}` : "";
  return node("span", {}, node("a", { href: `/console/videos/${delivery.video_id}`, "data-link": "" }, node("code", {}, delivery.video_id)), which);
}

function effect(delivery) {
  if (!delivery.handled_at) return "not yet";
  return delivery.late ? "after the video had ended" : when(delivery.handled_at);
}

function bodyOf(delivery) {
  const size = `${count(delivery.bytes)} bytes${delivery.content_type ? `, ${delivery.content_type}` : ""}`;
  if (delivery.body === null) return `not kept (${size})`;
  return node("details", {}, node("summary", {}, size), node("pre", { tabindex: 0 }, delivery.body));
}

/** Read the newest deliveries, or those before the oldest that is shown, and what was refused. */
export async function refreshWebhooks({ older = false } = {}) {
  try {
    const [page, refused] = await Promise.all([
      api(`/v1/webhooks?limit=${PAGE}${older && nextCursor ? `&cursor=${nextCursor}` : ""}`), api("/v1/webhooks/refused"),
    ]);
    if (older || !deliveries.size) nextCursor = page.next_cursor;
    for (const delivery of page.items) deliveries.set(delivery.id, delivery);
    setText($("webhooks-fault"), "");
    show(refused.items);
  } catch (error) {
    if (error instanceof KeyNeeded) return;
    setText($("webhooks-fault"), `The webhooks cannot be read: ${error.message}.`);
    $("no-webhooks").hidden = $("no-refused").hidden = true;
  }
}

function show(refused) {
  rows.show([...deliveries.values()].sort((a, b) => Number(b.id) - Number(a.id)));
  refusedRows.show(refused);
  $("webhooks-more").hidden = !nextCursor;
  $("no-webhooks").hidden = deliveries.size > 0;
  $("no-refused").hidden = refused.length > 0;
}

export function startWebhooks() {
  $("webhooks-more").addEventListener("click", () => refreshWebhooks({ older: true }));
}
