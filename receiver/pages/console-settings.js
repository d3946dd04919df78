// The settings of the process that serves this page, and where each comes from. Secrets never reach the browser.

import { api, KeyNeeded } from "./console-api.js";
import { $, KeyedList, node, setText } from "./console-dom.js";

const rows = new KeyedList($("settings-rows"), {
  key: (setting) => setting.name,
  create: (setting) => node("tr", {},
    node("td", { class: "wide", "data-label": "Setting" }, node("code", {}, setting.name)),
    node("td", { class: "wide", "data-label": "Value" }), node("td", { class: "wide", "data-label": "From" })),
  update: (row, setting) => {
    setText(row.children[1], written(setting.value));
    setText(row.children[2], setting.source);
    row.classList.toggle("dim", setting.source === "default");
  },
});

function written(value) {
  if (value === null) return "not set";
  if (value === "***") return "set, hidden";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Read the settings; those that were set come before those that nobody changed. */
export async function refreshSettings() {
  try {
    const { items } = await api("/v1/settings");
    setText($("settings-fault"), "");
    rows.show([...items].sort((a, b) => (a.source === "default") - (b.source === "default")));
  } catch (error) {
    if (error instanceof KeyNeeded) return;
    setText($("settings-fault"), `The settings cannot be read: ${error.message}.`);
  }
}
