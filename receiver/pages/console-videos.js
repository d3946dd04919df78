// The list of videos. Rows are updated in place, so that focus and place stay where they are.

import { api, KeyNeeded } from "./console-api.js";
import { announceError, redeliver, retry } from "./console-confirm.js";
import { $, KeyedList, node, onNextFrame, setAttribute, setText } from "./console-dom.js";
import { addressOf, apiQuery, matchesFilter, readFilters, showFilters } from "./console-filters.js";
import { between, chip, count, counted, motion, ours, words } from "./console-format.js";

const PAGE = 100;
const MOST_PAGES_SEARCHED = 5;
const MOST_KEPT = 5000;
const MOST_AT_ONCE = 5000;

const videos = new Map();
let filters = {};
let nextCursor = null;
let readThrough = null;
let loads = 0;

const rows = new KeyedList($("videos"), { key: (video) => video.id, create: createRow, update: updateRow });
const draw = onNextFrame(showRows);
const drawActions = onNextFrame(() => showActions(shownVideos()));

/** Show the list that the address describes. */
export async function openVideos() {
  const wanted = readFilters();
  const changed = JSON.stringify(wanted) !== JSON.stringify(filters) || !loads;
  filters = wanted;
  showFilters(filters);
  if (!changed) return;
  videos.clear();
  nextCursor = readThrough = null;
  await load();
}

/** Read the newest page again and put it in the place of what was known of it. */
export async function refreshVideos() {
  const own = loads;
  try {
    const page = await readPage(null);
    if (own !== loads) return;
    const oldest = page.items.at(-1)?.id ?? "";
    const seen = new Set(page.items.map((video) => video.id));
    for (const id of videos.keys()) if (!seen.has(id) && (page.next_cursor === null || id > oldest)) videos.delete(id);
    keep(page.items);
    if (readThrough === null) nextCursor = page.next_cursor;
    complain("");
  } catch (error) {
    complain(error);
  }
  draw();
}

export async function loadOlder() {
  await load(nextCursor);
}

async function load(cursor = null) {
  const own = (loads += 1);
  $("more").disabled = true;
  try {
    await readUntilFull(cursor, () => own === loads);
    complain("");
  } catch (error) {
    if (own === loads) complain(error);
  }
  $("more").disabled = false;
  draw();
}

/** Read pages until as many videos match as a page holds: the API itself does not search by error. */
async function readUntilFull(cursor, wanted) {
  let found = 0;
  for (let pages = 0; pages < MOST_PAGES_SEARCHED; pages += 1) {
    const page = await readPage(cursor);
    if (!wanted()) return;
    keep(page.items);
    found += page.items.filter((video) => matchesFilter(video, filters)).length;
    nextCursor = page.next_cursor;
    if (cursor !== null) readThrough = cursor;
    if (!nextCursor || found >= PAGE || !filters.error) return;
    cursor = nextCursor;
  }
}

function readPage(cursor) {
  const query = apiQuery(filters);
  query.set("limit", PAGE);
  if (cursor) query.set("cursor", cursor);
  return api(`/v1/videos?${query}`);
}

function keep(items) {
  for (const video of items) videos.set(video.id, video);
}

function complain(error) {
  if (error instanceof KeyNeeded) return;
  const told = error?.problem?.errors?.map((fault) => `${words(fault.field)} ${fault.message}`).join("; ") ?? error?.message;
  setText($("videos-fault"), error ? `The videos cannot be read: ${told}.` : "");
}

/** Take in what an event, or an answer, says of a video. */
export function takeVideo(video) {
  const stays = matchesFilter(video, filters);
  if (stays && videos.has(video.id)) {
    videos.set(video.id, video);
    rows.refresh(video);
    drawActions();
    return;
  }
  if (!stays) videos.delete(video.id);
  else if (videos.size < MOST_KEPT) videos.set(video.id, video);
  draw();
}

export function forgetVideo(id) {
  videos.delete(id);
  draw();
}

export function shownVideos() {
  return [...videos.values()].filter((video) => matchesFilter(video, filters)).sort((a, b) => (a.id < b.id ? 1 : -1));
}

export const redrawAges = draw;

function showRows() {
  const shown = shownVideos();
  rows.show(shown);
  const filtered = Object.keys(filters).length > 0;
  const failed = $("videos-fault").textContent !== "";
  $("no-videos").hidden = shown.length > 0 || filtered || failed;
  $("no-match").hidden = shown.length > 0 || !filtered || failed;
  $("more").hidden = !nextCursor;
  setText($("videos-count"), shown.length ? `${counted(shown.length, "video")} shown${nextCursor ? ", there are older ones" : ""}` : "");
  showActions(shown);
}

// ---- rows --------------------------------------------------------------------------------------------------

function createRow(video) {
  const cells = {
    status: chip(video.status),
    name: node("span", {}),
    link: node("a", { href: "", "data-link": "" }, node("code", {}, video.id)),
    motion: node("td", { "data-label": "Motion" }, motion(video.motion)),
    provider: node("td", { "data-label": "Provider" }),
    took: node("td", { class: "number dim", "data-label": "Took" }),
    age: node("td", { class: "number dim", "data-label": "Age" }),
  };
  const row = node("tr", { onclick: (press) => press.target.closest("a") || cells.link.click() },
    node("td", { class: "status" }, cells.status),
    node("td", { class: "what" }, thumbnail(video), node("div", {}, cells.name, cells.link)),
    cells.motion, cells.provider, cells.took, cells.age);
  row.shown = cells;
  row.dataset.id = video.id;
  return row;
}

function updateRow(row, video) {
  const cells = row.shown;
  setAttribute(cells.status, "data-status", video.status);
  setText(cells.status.lastChild, video.status);
  setText(cells.name, nameOf(video));
  cells.name.hidden = !cells.name.textContent;
  setAttribute(cells.link, "href", `/console/videos/${video.id}${addressOf(filters)}`);
  setText(cells.provider, video.provider ?? "–");
  setText(cells.took, between(video.created_at, video.completed_at));
  setText(cells.age, between(video.created_at));
}

function nameOf(video) {
  const told = Object.entries(video.metadata).map(([key, value]) => `${key}: ${value}`);
  return [video.error && words(video.error.code), ...told].filter(Boolean).join(" · ");
}

// Only pictures that we keep ourselves are fetched unasked: a caller's address would see this browser, and reach its network.
function thumbnail(video) {
  const shown = node("span", { class: "thumb" });
  if (ours(video.input_image)) {
    const image = node("img", { src: video.input_image, alt: "", referrerpolicy: "no-referrer", loading: "lazy" });
    image.addEventListener("error", () => image.remove());
    shown.append(image);
  }
  return shown;
}

// ---- actions on all that match the filters -------------------------------------------------------------------------

const finished = (shown) => shown.filter((video) => video.completed_at).map((video) => video.id);
const failed = (shown) => shown.filter((video) => video.status === "failed").map((video) => video.id);

function showActions(shown) {
  const filtered = Object.keys(filters).length > 0;
  const toRetry = failed(shown).length;
  const toRedeliver = finished(shown).length;
  const more = nextCursor ? "+" : "";
  $("retry-shown").hidden = !filtered || !toRetry;
  $("redeliver-shown").hidden = !filtered || !toRedeliver;
  setText($("retry-shown"), `Retry ${count(toRetry)}${more} failed`);
  setText($("redeliver-shown"), `Redeliver ${count(toRedeliver)}${more}`);
}

/** Read all that match the filters, the older ones too, so that what is asked before an action is the true number. */
async function allMatching() {
  const wanted = filters;
  const found = new Map(shownVideos().map((video) => [video.id, video]));
  for (let cursor = nextCursor; cursor && found.size < MOST_AT_ONCE; ) {
    const page = await readPage(cursor);
    for (const video of page.items) if (matchesFilter(video, wanted)) found.set(video.id, video);
    cursor = page.next_cursor;
  }
  return [...found.values()].slice(0, MOST_AT_ONCE);
}

async function doWithAll(button, choose, action) {
  button.disabled = true;
  try {
    await action(choose(await allMatching()));
  } catch (error) {
    announceError(error);
  } finally {
    button.disabled = false;
  }
}

export function startVideos() {
  $("more").addEventListener("click", loadOlder);
  $("retry-shown").addEventListener("click", () => doWithAll($("retry-shown"), failed, retry));
  $("redeliver-shown").addEventListener("click", () => doWithAll($("redeliver-shown"), finished, redeliver));
}
