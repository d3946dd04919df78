// How times, names and states are written for people.

import { node } from "./console-dom.js";

export const MOTIONS = [
  "zoom_in", "zoom_out", "pan_up", "pan_down", "pan_left", "pan_right", "pullback",
  "rotate_cw", "rotate_ccw", "look_up", "look_down", "auto", "auto_reverse",
];

export const STATUSES = ["accepted", "submitting", "generating", "ready", "failed"];

export const ERRORS = [
  "image_rejected", "request_rejected", "authentication_failed", "out_of_credits", "provider_unavailable",
  "submission_unknown", "generation_failed", "result_invalid", "job_lost", "timed_out", "cancelled",
];

export const words = (name) => name.replaceAll("_", " ");
export const motion = (name) => words(name).replace(/\bccw\b/, "counter-clockwise").replace(/\bcw\b/, "clockwise");
export const clock = (text) => new Date(text).toLocaleTimeString([], { hour12: false });
export const when = (text) => new Date(text).toLocaleString([], { hour12: false });
export const count = (number) => number.toLocaleString();
export const counted = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;
export const signed = (number) => (number > 0 ? `+${count(number)}` : count(number));

/** Write a time of today as a time, any other with its date. */
export function moment(text) {
  return new Date(text).toDateString() === new Date().toDateString() ? clock(text) : when(text);
}

export function span(seconds) {
  if (seconds <= 0) return "0 s";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 130000) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

export const seconds = (from, to) => ((to ? Date.parse(to) : Date.now()) - Date.parse(from)) / 1000;
export const between = (from, to) => span(seconds(from, to));

export function refund(given) {
  return given && `${words(given.status)}${given.credits ? ` (${counted(given.credits, "credit")})` : ""}`;
}

/** Give an address that a browser may open, or null: only http and https are. */
export const web = (url) => (/^https?:\/\//i.test(url) && URL.canParse(url) ? url : null);

/** Say whether a picture's address is one of this service: only such are fetched unasked. */
export function ours(url) {
  if (!web(url)) return false;
  const parsed = new URL(url);
  return parsed.origin === location.origin && parsed.pathname.startsWith("/media/");
}

export const chip = (status) => node("span", { class: "chip", "data-status": status }, node("i"), status);

export function facts(pairs) {
  const known = Object.entries(pairs).filter(([, value]) => value !== null && value !== undefined && value !== false && value !== "");
  return node("dl", { class: "facts" }, ...known.flatMap(([key, value]) => [
    node("dt", {}, key), node("dd", {}, value instanceof Node ? value : String(value)),
  ]));
}

/** A part of a page that has its own heading. */
export const topic = (title, ...content) => node("section", {}, node("h2", {}, title), ...content);

/** A part of something that has a heading itself. */
export const section = (title, ...content) => node("section", {}, node("h3", {}, title), ...content);
