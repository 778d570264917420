// A step of a compliance report in words.

import { everyone, invalidS } from "./timeline_chart.js";
import { duration, percent, VERDICT_WORDS, VERDICTS } from "./words.js";

const PROBLEM_WORDS = {
  black: "black", covered: "covered", frozen: "frozen", moved: "moved", blurred: "blurred",
};

const WHOLE_S = 60; // the minute that runs now is not over yet

export const ABSENT_WORDS = "Not yet: the camera was added later";

export function rateWords({ people, rate, low, high }) {
  if (rate === null) return "No verdicts";
  return `${percent(rate)} of ${people.toLocaleString("en")} wore a mask (${percent(low)} to ${percent(high)})`;
}

// How sure the rate is once the errors of verdicts are reckoned with. Recordings have no such rate.
export function correctedWords({ corrected_rate: rate, corrected_low: low, corrected_high: high, audited }) {
  if (rate === null || rate === undefined) return "";
  return `Corrected for wrong and missing verdicts: ${percent(rate)} (${percent(low)} to ${percent(high)}${audited ? "" : ", not audited"})`;
}

// Everything that is said of a step besides its time, a line each.
export function stepWords(point) {
  if (!point.people) return [point.watched_s > 0 ? "Not analysed: no counts" : ABSENT_WORDS];
  const counts = VERDICTS.map((verdict) => `${VERDICT_WORDS[verdict]} ${point.people[verdict]}`);
  return [rateWords(point.compliance), correctedWords(point.compliance), counts.join(", "),
    analysedWords(point), invalidWords(point)].filter(Boolean);
}

// Of what the share is goes with it, where the camera was not there all the time.
export function analysedWords({ analysed_share: share, watched_s: watchedS, from_s: fromS, to_s: toS }) {
  if (share === null) return "";
  const whole = watchedS >= toS - fromS - WHOLE_S;
  return `Analysed ${percent(share)} of ${whole ? "the time" : `the ${duration(watchedS)} in which the camera was there`}`;
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
