// The events as they are decided: Server-Sent Events, read with fetch because EventSource sends no key.

import { $, node, setText } from "./console-dom.js";
import { clock, motion } from "./console-format.js";

const KEPT = 200;
const PAUSE_MS = 2000;
const listeners = [];
let listening = null;
let lastEventId = null;

export const onEvent = (work) => listeners.push(work);

/** Listen until called again; reconnect after a pause, from the last event that was seen. */
export async function streamEvents() {
  listening?.abort();
  const own = (listening = new AbortController());
  while (!own.signal.aborted) {
    try {
      await readStream(own.signal);
    } catch {
      if (own.signal.aborted) return;
    }
    if (own.signal.aborted) return;
    showConnection(false, "reconnecting");
    await new Promise((again) => setTimeout(again, PAUSE_MS));
  }
}

async function readStream(signal) {
  const answer = await fetch("/v1/events", {
    headers: lastEventId ? { "last-event-id": lastEventId } : {},
    signal,
  });
  if (answer.status === 401 || answer.status === 403) {
    listening.abort();
    showConnection(false, answer.status === 401 ? "needs a key" : "this key may not read");
    return;
  }
  if (!answer.ok) throw new Error(answer.statusText);
  showConnection(true, "live");
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const messages = (rest + value).split("\n\n");
    rest = messages.pop();
    messages.forEach(readMessage);
  }
}

function readMessage(message) {
  const fields = Object.fromEntries(message.split("\n").filter((line) => /^\w/.test(line)).map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
  }));
  if (!fields.data) return;
  lastEventId = fields.id;
  const event = JSON.parse(fields.data);
  showEvent(event);
  listeners.forEach((work) => work(event));
}

function showConnection(on, text) {
  $("live").dataset.state = on ? "on" : "off";
  setText($("live-text"), text);
}

function showEvent(event) {
  const told = [event.data.provider, motion(event.data.motion), event.data.error?.message].filter(Boolean).join(" · ");
  $("no-events").hidden = true;
  $("events-list").prepend(node("li", {},
    node("time", { datetime: event.time }, clock(event.time)),
    node("b", {}, event.type),
    node("a", { href: `/console/videos/${event.subject}`, "data-link": "" }, node("code", {}, event.subject)),
    node("span", { class: "to" }, told)));
  while ($("events-list").children.length > KEPT) $("events-list").lastChild.remove();
}
