// A video's timeline as a picture of time: a bar for each attempt, a mark for each thing that happened.

import { node, svg } from "./console-dom.js";
import { clock, counted, seconds, span } from "./console-format.js";

const WIDTH = 600;
const LEFT = 112;
const LANE = 30;

/** Draw the picture; the list of `entries` beside it says the same in words. */
export function timePicture(video, entries) {
  const scale = scaleOf(video, entries);
  const lanes = ["service", ...video.attempts.map((attempt, index) => `${index + 1} ${attempt.provider}`)];
  const height = lanes.length * LANE + 26;
  const told = `${counted(video.attempts.length, "attempt")} in ${span(scale.length)}, ${counted(entries.length, "entry", "entries")}`;
  return node("figure", { class: "time-picture" },
    svg("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": `Timeline: ${told}` },
      ...lanes.flatMap((name, index) => lane(name, index)),
      ...video.attempts.flatMap((attempt, index) => bars(attempt, index + 1, scale)),
      ...entries.map((entry) => mark(entry, scale)),
      ...axis(scale, height)),
    legend());
}

function scaleOf(video, entries) {
  const times = entries.map((entry) => Date.parse(entry.at));
  const from = Math.min(Date.parse(video.created_at), ...times);
  const end = video.completed_at ? Date.parse(video.completed_at) : Date.now();
  const to = Math.max(end, from + 1000, ...times);
  const x = (text) => LEFT + ((Date.parse(text) - from) / (to - from)) * (WIDTH - LEFT - 10);
  return { from, to, x, length: (to - from) / 1000, now: new Date(to).toISOString() };
}

const middle = (laneIndex) => laneIndex * LANE + LANE / 2;

function lane(name, index) {
  return [
    svg("text", { x: 0, y: middle(index) + 4, class: "lane-name" }, name),
    svg("line", { x1: LEFT, x2: WIDTH - 10, y1: middle(index), y2: middle(index), class: "lane" }),
  ];
}

function bars(attempt, number, scale) {
  if (!attempt.submitted_at) return [];
  const [from, to] = [scale.x(attempt.submitted_at), scale.x(attempt.finished_at ?? scale.now)];
  const took = span(seconds(attempt.submitted_at, attempt.finished_at));
  const told = `${attempt.provider}: ${attempt.status}, ${took} from its acceptance`;
  return [
    svg("rect", { x: from, y: middle(number) - 7, width: Math.max(2, to - from), height: 14, rx: 4, class: `bar-${attempt.status}` },
      svg("title", {}, told)),
  ];
}

function kindOf(what) {
  if (/webhook/.test(what)) return "webhook";
  if (/poll|check|look/.test(what)) return "poll";
  if (/fail|not accepted|unknown|lost|refus|given up/.test(what)) return "fault";
  return "step";
}

function mark(entry, scale) {
  const told = [`${clock(entry.at)} ${entry.what}`, entry.detail].filter(Boolean).join(": ").slice(0, 300);
  return svg("circle", { cx: scale.x(entry.at), cy: middle(entry.attempt ?? 0), r: 5, class: `mark-${kindOf(entry.what)}` },
    svg("title", {}, told));
}

function axis(scale, height) {
  const [start, end] = [new Date(scale.from).toISOString(), scale.now];
  return [
    svg("text", { x: LEFT, y: height - 4, class: "tick" }, clock(start)),
    svg("text", { x: WIDTH - 10, y: height - 4, class: "tick end" }, `+${span(scale.length)}`),
    svg("text", { x: (LEFT + scale.x(end)) / 2, y: height - 4, class: "tick middle" }, `+${span(scale.length / 2)}`),
  ];
}

function legend() {
  const kinds = [["step", "a step"], ["webhook", "a webhook"], ["poll", "a check"], ["fault", "a fault"]];
  return node("figcaption", {}, ...kinds.map(([kind, text]) =>
    node("span", {}, svg("svg", { viewBox: "0 0 12 12", width: 12, height: 12, "aria-hidden": "true" },
      svg("circle", { cx: 6, cy: 6, r: 5, class: `mark-${kind}` })), text)));
}
