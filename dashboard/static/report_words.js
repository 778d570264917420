// A step of a compliance report in words.

import { everyone, invalidS } from "./timeline_chart.js";
import { duration, percent, VERDICT_WORDS, VERDICTS } from "./words.js";

const PROBLEM_WORDS = {
  black: "black", covered: "covered", frozen: "frozen", moved: "moved", blurred: "blurred",
};

export function rateWords({ people, rate, low, high }) {
  if (rate === null) return "No verdicts";
  return `${percent(rate)} of ${people.toLocaleString("en")} wore a mask (${percent(low)} to ${percent(high)})`;
}

// Everything that is said of a step besides its time, a line each.
export function stepWords(point) {
  if (!point.people) return ["Not analysed: no counts"];
  const counts = VERDICTS.map((verdict) => `${VERDICT_WORDS[verdict]} ${point.people[verdict]}`);
  return [rateWords(point.compliance), counts.join(", "), analysedWords(point), invalidWords(point)]
    .filter(Boolean);
}

export function analysedWords({ analysed_share: share }) {
  return share === null ? "" : `Analysed ${percent(share)} of the time`;
}

export function invalidWords(point) {
  if (!invalidS(point)) return "";
  const causes = Object.entries(point.invalid_s).filter(([, seconds]) => seconds)
    .map(([problem, seconds]) => `${PROBLEM_WORDS[problem] ?? problem} ${duration(seconds)}`);
  return `Unreliable: ${causes.join(", ")}`;
}

export function peaks(points, count) {
  return points.filter((point) => everyone(point))
    .sort((a, b) => everyone(b) - everyone(a)).slice(0, count);
}
