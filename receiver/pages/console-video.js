// One video: its clip, its picture, what happened to it and what it cost.

import { api, KeyNeeded } from "./console-api.js";
import { checkNow, erase, redeliver, retry, stop } from "./console-confirm.js";
import { $, node, Part, setAttribute, setText } from "./console-dom.js";
import { between, chip, clock, facts, motion, ours, refund, section, web, when, words } from "./console-format.js";
import { timePicture } from "./console-timeline.js";

let shownId = null;
let parts = null;
let leave = () => {};
let gone = () => {};
let open = () => {};

export const shownVideo = () => shownId;

/** Show a video, from the address. */
export async function openVideo(id) {
  if (shownId !== id) {
    shownId = id;
    build(id);
  }
  if (!$("detail").open) $("detail").showModal();
  await refreshVideo();
}

export function closeVideo() {
  shownId = null;
  if ($("detail").open) $("detail").close();
}

export async function refreshVideo() {
  const id = shownId;
  if (!id) return;
  try {
    const [video, timeline] = await Promise.all([api(`/v1/videos/${id}`), api(`/v1/videos/${id}/timeline`)]);
    if (shownId !== id) return;
    setText($("detail-fault"), "");
    show(video, timeline.items);
  } catch (error) {
    if (shownId !== id || error instanceof KeyNeeded) return;
    setText($("detail-fault"), error.status === 404 ? "There is no video of this id." : `The video cannot be read: ${error.message}.`);
  }
}

function build(id) {
  $("detail-body").replaceChildren();
  setText($("detail-id"), id);
  setText($("detail-fault"), "");
  $("detail-status").replaceChildren();
  $("detail-redeliver").hidden = $("detail-retry").hidden = $("detail-erase").hidden = $("detail-check").hidden = $("detail-stop").hidden = true;
  const names = ["trouble", "picture", "clip", "time", "request", "cost", "attempts", "timeline"];
  const media = node("div", { class: "media" });
  $("detail-body").append(media);
  parts = Object.fromEntries(names.map((name) => [name, new Part(["picture", "clip"].includes(name) ? media : $("detail-body"))]));
  $("detail-body").prepend(parts.trouble.element);
}

function show(video, entries) {
  if ($("detail-status").textContent !== video.status) $("detail-status").replaceChildren(chip(video.status));
  $("detail-redeliver").hidden = $("detail-erase").hidden = !video.completed_at;
  $("detail-retry").hidden = video.status !== "failed";
  $("detail-check").hidden = video.status !== "generating";
  $("detail-stop").hidden = Boolean(video.completed_at || video.cancellation);
  const url = video.output_urls.find(web);
  parts.trouble.show(video.error, () => [trouble(video)]);
  parts.picture.show(video.input_image, () => [figure(picture(video.input_image), "the picture")]);
  parts.clip.show([url, video.status === "failed"], () => [clip(video, url)]);
  parts.request.show([video, video.completed_at ? 0 : between(video.created_at)], () => [request(video)]);
  parts.cost.show([video.attempts, video.refund], () => [cost(video)]);
  parts.attempts.show(video.attempts, () => [attempts(video)]);
  parts.time.show([entries, video.attempts, video.completed_at ?? Math.floor(Date.now() / 5000)], () => [section("Time", timePicture(video, entries))]);
  parts.timeline.show(entries, () => [section("Timeline", node("ol", { class: "timeline" }, ...entries.map(entry)))]);
}

function trouble(video) {
  return video.error && node("div", { class: "trouble" }, node("b", {}, words(video.error.code)), video.error.message);
}

// ---- the picture and the clip ------------------------------------------------------------------------------

const figure = (content, ...caption) => node("figure", {}, content, node("figcaption", {}, ...caption));

function picture(url) {
  const none = () => node("div", { class: "none" }, "the picture cannot be shown");
  if (!web(url)) return none();
  if (!ours(url)) {
    const ask = node("button", { type: "button", class: "none" }, `show the picture from ${new URL(url).host}`);
    ask.addEventListener("click", () => ask.replaceWith(fetched(url, none)));
    return ask;
  }
  return fetched(url, none);
}

function fetched(url, none) {
  const shown = node("img", { src: url, alt: "The picture", referrerpolicy: "no-referrer", loading: "lazy" });
  shown.addEventListener("error", () => shown.replaceWith(none()));
  return shown;
}

function clip(video, url) {
  if (!url) return figure(node("div", { class: "none" }, video.status === "failed" ? "no video was made" : "the video will be here"), "the video");
  const player = node("video", { src: url, controls: "", loop: "", playsinline: "", preload: "metadata", "aria-label": "The video" });
  return figure(player, node("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, url));
}

// ---- facts -------------------------------------------------------------------------------------------------

const STOPPING = {
  done: "its provider stopped it", wished: "its provider is asked, and its end will tell", too_late: "it was too late",
};

function request(video) {
  const metadata = Object.fromEntries(Object.entries(video.metadata).map(([key, value]) => [`metadata ${key}`, value]));
  return section("Request", facts({
    motion: motion(video.motion), orientation: video.orientation, prompt: video.prompt, provider: video.provider,
    "found by": video.detected_by, accepted: when(video.created_at), took: between(video.created_at, video.completed_at),
    stopping: video.cancellation && `${STOPPING[video.cancellation.outcome]}; wished ${when(video.cancellation.wished_at)}`,
    "retry of": video.retry_of && node("a", { href: `/console/videos/${video.retry_of}`, "data-link": "" }, video.retry_of),
    ...metadata,
  }));
}

function cost(video) {
  if (!video.attempts.length) return null;
  const each = video.attempts.map((attempt, index) => [`attempt ${index + 1}, ${attempt.provider}`, costOf(attempt)]);
  return section("Cost", facts({ ...Object.fromEntries(each), refund: refund(video.refund) }));
}

function costOf(attempt) {
  if (attempt.status === "succeeded") return "paid";
  if (attempt.refund) return refund(attempt.refund);
  return attempt.submitted_at ? "paid unless it fails" : "nothing yet";
}

function attempts(video) {
  if (!video.attempts.length) return null;
  return section(video.attempts.length === 1 ? "Attempt" : "Attempts", ...video.attempts.map((attempt) =>
    node("article", { class: "attempt" }, node("header", {}, attempt.provider, chip(attempt.status)), facts({
      job: attempt.provider_job_id, submitted: attempt.submitted_at && when(attempt.submitted_at),
      took: attempt.submitted_at && attempt.finished_at && between(attempt.submitted_at, attempt.finished_at),
      "found by": attempt.detected_by, refund: refund(attempt.refund),
      fault: attempt.error && `${words(attempt.error.code)}: ${attempt.error.message}`,
    }))));
}

function entry(happened) {
  const which = happened.attempt ? ` (attempt ${happened.attempt})` : "";
  const at = node("time", { datetime: happened.at }, clock(happened.at));
  return node("li", {}, happened.what + which, at, happened.detail ? node("small", { tabindex: 0 }, happened.detail) : null);
}

// ---- what can be done --------------------------------------------------------------------------------------

/** Connect the drawer; `onClose` leaves its address, `onOpen` goes to another video, `onErased` forgets this one. */
export function startVideo({ onClose, onOpen, onErased }) {
  gone = onErased;
  leave = onClose;
  open = onOpen;
  $("detail").addEventListener("click", (press) => press.target === $("detail") && $("detail").close());
  $("detail").addEventListener("close", () => {
    const left = shownId;
    shownId = null;
    $("detail-body").replaceChildren();
    if (left) leave(left);
  });
  $("detail-close").addEventListener("click", () => $("detail").close());
  $("detail-check").addEventListener("click", () => checkNow(shownId));
  $("detail-stop").addEventListener("click", () => stop(shownId));
  $("detail-redeliver").addEventListener("click", () => redeliver([shownId]));
  $("detail-erase").addEventListener("click", async () => {
    const id = shownId;
    if (!(await erase(id))) return;
    gone(id);
    $("detail").close();
  });
  $("detail-retry").addEventListener("click", async () => {
    const made = await retry([shownId]);
    if (made) open(made);
  });
  setAttribute($("detail"), "aria-label", "Video");
}
