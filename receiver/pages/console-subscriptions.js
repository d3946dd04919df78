// Who takes our events from RabbitMQ, as its management API tells the service.

import { api, KeyNeeded } from "./console-api.js";
import { $, node, Part } from "./console-dom.js";
import { count, counted, facts, topic, web } from "./console-format.js";

const part = new Part($("subscriptions"));

/** Ask again, and show what is bound, who consumes, and what nobody hears. */
export async function refreshSubscriptions() {
  try {
    const found = await api("/v1/subscriptions");
    part.show(found, () => [topic("Subscribers", ...(found.fault ? unknown(found) : known(found)))]);
  } catch (error) {
    if (error instanceof KeyNeeded) return;
    part.show(error.message, () => [topic("Subscribers", node("p", { class: "hint" }, `Nobody can say who takes events: ${error.message}.`))]);
  }
}

function unknown(found) {
  return [
    facts({ exchange: found.exchange }),
    node("p", { class: "hint" }, `Nobody can say who takes events: ${found.fault}. Set REELBUS_MANAGEMENT_URL to the address of RabbitMQ's management.`),
  ];
}

function known(found) {
  const address = web(found.management);
  return [
    facts({
      exchange: found.exchange, bindings: count(found.items.length),
      unroutable: found.unroutable === null ? null : counted(found.unroutable, "message"),
      management: address && node("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, address),
    }),
    found.unheard.length ? node("p", { class: "fault" }, `Nobody is bound to ${found.unheard.join(", ")}: only the log keeps such events.`) : null,
    found.items.length ? table(found.items) : null,
  ].filter(Boolean);
}

function table(items) {
  const heads = ["Queue", "Routing key", "Consumers", "Waiting"];
  const told = (number) => (number === null ? "not known" : count(number));
  return node("table", { class: "plain" },
    node("thead", {}, node("tr", {}, ...heads.map((head) => node("th", { scope: "col" }, head)))),
    node("tbody", {}, ...items.map((item) => node("tr", {},
      node("td", { "data-label": "Queue" }, item.destination), node("td", { "data-label": "Routing key" }, item.routing_key),
      node("td", { "data-label": "Consumers" }, told(item.consumers)), node("td", { "data-label": "Waiting" }, told(item.messages))))));
}
