// Commands that nobody could handle: why each was parked, and what can be done with it.

import { api, KeyNeeded } from "./console-api.js";
import { dropCommand, requeueCommand } from "./console-confirm.js";
import { $, KeyedList, node, setText } from "./console-dom.js";
import { when } from "./console-format.js";

const rows = new KeyedList($("dead-rows"), {
  key: (command) => command.id,
  create: (command) => node("tr", {},
    node("td", { "data-label": "When" }, command.parked_at ? when(command.parked_at) : "not known"),
    node("td", { class: "wide", "data-label": "Why" }, command.reason),
    node("td", { class: "wide", "data-label": "Beginning" }, node("code", {}, command.beginning)),
    node("td", { "data-label": "Do" },
      node("button", { type: "button", onclick: () => doWith(command, requeueCommand) }, "Put back"),
      node("button", { type: "button", onclick: () => doWith(command, dropCommand) }, "Drop"))),
});

async function doWith(command, action) {
  if (await action(command)) await refreshDeadCommands();
}

/** Read the parked commands again, and hide the list where there are none. */
export async function refreshDeadCommands() {
  try {
    const { items } = await api("/v1/dead-commands");
    setText($("dead-fault"), "");
    rows.show(items);
    $("dead-commands").hidden = !items.length;
  } catch (error) {
    if (error instanceof KeyNeeded) return;
    setText($("dead-fault"), `The parked commands cannot be read: ${error.message}.`);
    $("dead-commands").hidden = false;
  }
}
