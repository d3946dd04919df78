// The filters of the list of videos. They live in the address, so that a link leads to the same list.

import { $, node, setAttribute } from "./console-dom.js";
import { ERRORS, STATUSES, words } from "./console-format.js";

const NAMES = ["status", "provider", "error", "metadata", "since", "until"];
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Read the filters from the address; `metadata` is written `key=value`. */
export function readFilters() {
  const query = new URLSearchParams(location.search);
  return Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ""]).filter(([, value]) => value));
}

/** Write filters as the query of an address of the console. */
export function addressOf(filters) {
  const query = new URLSearchParams(filters).toString();
  return query ? `?${query}` : "";
}

/** Write filters as the query of `GET /v1/videos`. A video of an error has failed. */
export function apiQuery(filters) {
  const query = new URLSearchParams();
  const status = filters.error ? "failed" : filters.status;
  if (status) query.set("status", status);
  for (const name of ["provider", "since", "until"]) if (filters[name]) query.set(name, filters[name]);
  const [key, value] = pair(filters.metadata);
  if (key) query.set(`metadata.${key}`, value);
  return query;
}

/** Say whether a video belongs into the filtered list. */
export function matchesFilter(video, filters) {
  const [key, value] = pair(filters.metadata);
  return (
    (!filters.status || video.status === filters.status) &&
    (!filters.provider || video.provider === filters.provider) &&
    (!filters.error || video.error?.code === filters.error) &&
    (!key || video.metadata[key] === value) &&
    (!filters.since || Date.parse(video.created_at) >= Date.parse(filters.since)) &&
    (!filters.until || Date.parse(video.created_at) < Date.parse(filters.until))
  );
}

function pair(text) {
  const equals = (text ?? "").indexOf("=");
  return equals > 0 ? [text.slice(0, equals).trim(), text.slice(equals + 1).trim()] : ["", ""];
}

/** Connect the form; `navigate` is given the address to go to. */
export function startFilters(navigate) {
  fillChoices("status", "every status", STATUSES);
  fillChoices("error", "every error", ERRORS);
  for (const name of ["status", "provider", "error", "since", "until"]) {
    field(name).addEventListener("change", () => navigate(`/console${addressOf(chosen())}`));
  }
  $("search").addEventListener("submit", (press) => {
    press.preventDefault();
    const text = field("search").value.trim();
    if (ID.test(text)) navigate(`/console/videos/${text.toLowerCase()}${addressOf(readFilters())}`);
    else if (!text || pair(text)[0]) navigate(`/console${addressOf(chosen())}`);
    else complain("Search by a video's whole id, or by metadata written key=value.");
  });
  field("search").addEventListener("input", () => complain(""));
}

function complain(text) {
  $("search-fault").textContent = text;
  setAttribute(field("search"), "aria-invalid", text ? "true" : null);
}

const field = (name) => $(`filter-${name}`);

function chosen() {
  const moments = ["since", "until"].map((name) => [name, field(name).value && new Date(field(name).value).toISOString()]);
  const choices = ["status", "provider", "error"].map((name) => [name, field(name).value]);
  const text = field("search").value.trim();
  const given = { ...Object.fromEntries([...choices, ...moments]), metadata: pair(text)[0] ? text : "" };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value));
}

/** Show in the form what the address says. */
export function showFilters(filters) {
  for (const name of ["status", "provider", "error"]) show(field(name), filters[name] ?? "");
  for (const name of ["since", "until"]) show(field(name), filters[name] ? localTime(filters[name]) : "");
  if (document.activeElement !== field("search")) field("search").value = filters.metadata ?? "";
  $("clear-filters").hidden = !Object.keys(filters).length;
}

function show(control, value) {
  if (control.value === value) return;
  if (control.tagName === "SELECT" && ![...control.options].some((option) => option.value === value)) {
    control.append(node("option", { value }, value));
  }
  control.value = value;
}

/** Write a moment as the browser's field for date and time takes it. */
function localTime(text) {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return "";
  return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

/** Offer choices in a selection, keeping what is chosen. */
export function fillChoices(name, every, values) {
  const select = field(name);
  if ([...select.options].filter((option) => option.value).map((option) => option.value).join() === values.join()) return;
  const { value } = select;
  select.replaceChildren(node("option", { value: "" }, every), ...values.map((each) => node("option", { value: each }, words(each))));
  show(select, value);
}
