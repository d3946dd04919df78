// Keys for those who leave the mouse alone: they move through the list that is shown, and do what its buttons do.

import { redeliver } from "./console-confirm.js";
import { $, setText } from "./console-dom.js";

const KEPT = "reelbus.keys";
let on = true;

/** Hear keys, unless they were switched off here before, and connect the switch. */
export function startKeys() {
  on = localStorage.getItem(KEPT) !== "off";
  showSwitch();
  $("keys-switch").addEventListener("click", () => {
    on = !on;
    localStorage.setItem(KEPT, on ? "on" : "off");
    showSwitch();
  });
  document.addEventListener("keydown", hear);
}

function showSwitch() {
  $("keys-switch").setAttribute("aria-pressed", String(on));
  setText($("keys-switch"), on ? "Switch keys off" : "Switch keys on");
  $("keys-list").hidden = !on;
}

function hear(press) {
  if (!on || press.ctrlKey || press.metaKey || press.altKey || typing(press.target)) return;
  const work = document.querySelector("dialog[open]") ? inDialog[press.key] : inList[press.key];
  if (!work) return;
  press.preventDefault();
  work();
}

const typing = (element) => element.closest?.("input, textarea, select, [contenteditable]");

const inList = {
  j: () => move(1),
  k: () => move(-1),
  o: () => document.activeElement.closest("#videos a, #events-list a")?.click(),
  r: () => {
    const row = document.activeElement.closest("#videos tr");
    if (row) redeliver([row.dataset.id]);
  },
  n: () => $("new").offsetParent && $("new").click(),
  "/": () => $("filter-search").offsetParent && $("filter-search").focus(),
};

const inDialog = {
  r: () => $("detail").open && !$("detail-redeliver").hidden && !$("confirm").open && $("detail-redeliver").click(),
};

/** Go to the next link of the list that is shown, or to its first one. */
function move(step) {
  const links = [...document.querySelectorAll("#videos a, #events-list a, #webhook-rows a")].filter((link) => link.offsetParent);
  const now = links.indexOf(document.activeElement);
  const next = links[now < 0 ? 0 : Math.min(Math.max(now + step, 0), links.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}
