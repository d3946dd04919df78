// Charts of one provider: its credits, and how long its jobs take.

import { svg } from "./console-dom.js";
import { count, counted, span } from "./console-format.js";

/** Compare what was spent, came back, and is not known. */
export function creditChart(credits) {
  const bars = [["spent", credits.spent], ["refunded", credits.refunded], ["unknown", credits.unknown ?? 0], ["unexplained", Math.abs(credits.unexplained ?? 0)]];
  const most = Math.max(...bars.map(([, value]) => value));
  if (!most) return null;
  const told = bars.map(([name, value]) => `${name} ${count(value)}`).join(", ");
  return svg("svg", { class: "chart", viewBox: "0 0 400 88", role: "img", "aria-label": `Credits: ${told}` },
    ...bars.flatMap(([name, value], index) => [
      svg("text", { x: 0, y: index * 22 + 15, class: "lane-name" }, name),
      svg("rect", { x: 96, y: index * 22 + 3, width: Math.max(1, (value / most) * 240), height: 16, rx: 3, class: `credit-${name}` }),
      svg("text", { x: 104 + (value / most) * 240, y: index * 22 + 15, class: "tick" }, count(value)),
    ]));
}

/** Draw which share of the jobs is over by when. */
export function durationCurve(points) {
  const most = points.at(-1).seconds || 1;
  const x = (seconds) => (36 + (seconds / most) * 360).toFixed(1);
  const y = (share) => (76 - share * 70).toFixed(1);
  const told = points.filter(({ share }) => [0.05, 0.5, 0.95].includes(share)).map(({ share, seconds }) => `${share * 100} % within ${span(seconds)}`);
  return svg("svg", { class: "chart", viewBox: "0 0 400 96", role: "img", "aria-label": `How many are over by when: ${told.join(", ")}` },
    ...[0, 0.5, 1].flatMap((share) => [
      svg("line", { x1: 36, x2: 396, y1: y(share), y2: y(share), class: "grid" }),
      svg("text", { x: 0, y: Number(y(share)) + 4, class: "tick" }, `${share * 100} %`),
    ]),
    svg("polyline", { class: "curve", points: [`${x(0)},${y(0)}`, ...points.map((point) => `${x(point.seconds)},${y(point.share)}`)].join(" ") }),
    svg("text", { x: 36, y: 92, class: "tick" }, "0 s"), svg("text", { x: 396, y: 92, class: "tick end" }, span(most)));
}

/** Draw how many attempts took how long. */
export function durationChart(took) {
  if (took.length < 2) return null;
  const most = took.at(-1) || 1;
  const boxes = Array.from({ length: 20 }, () => 0);
  for (const value of took) boxes[Math.min(19, Math.floor((value / most) * 20))] += 1;
  const highest = Math.max(...boxes);
  return svg("svg", { class: "chart", viewBox: "0 0 400 96", role: "img", "aria-label": `How long they took: up to ${span(most)}` },
    ...boxes.map((number, index) => svg("rect", { x: index * 20 + 1, width: 18, y: 74 - (number / highest) * 70, height: (number / highest) * 70 + 1, rx: 2, class: "duration" },
      svg("title", {}, `${counted(number, "attempt")} in ${span((index * most) / 20)} to ${span(((index + 1) * most) / 20)}`))),
    svg("text", { x: 0, y: 92, class: "tick" }, "0 s"), svg("text", { x: 400, y: 92, class: "tick end" }, span(most)));
}
