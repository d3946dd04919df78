// Answers of providers whose shape no page documents: each shape once, with every value replaced by its kind.

import { api, KeyNeeded } from "./console-api.js";
import { $, KeyedList, node, setText } from "./console-dom.js";
import { count, when, words } from "./console-format.js";

const rows = new KeyedList($("drift-rows"), {
  key: (answer) => `${answer.provider} ${answer.shape}`,
  create: (answer) => node("tr", {},
    node("td", { "data-label": "Provider" }, answer.provider), node("td", { "data-label": "Status" }, String(answer.status)),
    node("td", { class: "wide", "data-label": "Read as" }, words(answer.read_as)),
    node("td", { "data-label": "First" }, when(answer.first_at)), node("td", { "data-label": "Last" }), node("td", { "data-label": "Seen" }),
    node("td", { class: "wide", "data-label": "Body" },
      node("details", {}, node("summary", {}, answer.content_type || "no type"), node("pre", { tabindex: 0 }, JSON.stringify(answer.body, null, 2))))),
  update: (row, answer) => {
    setText(row.children[4], when(answer.last_at));
    setText(row.children[5], count(answer.seen));
  },
});

/** Read the shapes of all providers, or of the one that the address names. */
export async function refreshDrift() {
  const only = new URLSearchParams(location.search).get("provider");
  try {
    const shown = (await api("/v1/drift")).items.filter((answer) => !only || answer.provider === only);
    setText($("drift-fault"), "");
    setText($("drift-of"), only ? `of ${only}` : "of all providers");
    rows.show(shown);
    $("drift-all").hidden = !only;
    $("no-drift").hidden = shown.length > 0;
  } catch (error) {
    if (error instanceof KeyNeeded) return;
    setText($("drift-fault"), `The answers cannot be read: ${error.message}.`);
    $("no-drift").hidden = true;
  }
}
