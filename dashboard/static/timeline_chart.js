// Draws compliance over time: the rate with its interval, people by verdict, and what was not
// analysed or unreliable.

import { hatches, label, rectangle, svg } from "./svg.js";
import { niceCeiling, timeTicks } from "./ticks.js";
import { VERDICTS } from "./words.js";

const LEFT = 44;
const RIGHT = 8;
const TOP = 18;
const RATE = 120;
const BETWEEN = 26;
const PEOPLE = 100;
const STRIP = 9;
const AXIS = 22;
const HEIGHT = TOP + RATE + BETWEEN + PEOPLE + 6 + STRIP + AXIS;
const PEOPLE_TOP = TOP + RATE + BETWEEN;
const STRIP_TOP = PEOPLE_TOP + PEOPLE + 6;
const MOSTLY = 0.5; // a step that was invalid for more of its time than this is hatched whole

export class TimelineChart {
  constructor(points, width, ticks = timeTicks) {
    this.points = points;
    this.ticks = ticks;
    this.width = width;
    this.fromS = points[0].from_s;
    this.toS = points.at(-1).to_s;
    this.most = niceCeiling(Math.max(...points.map(everyone)));
  }

  get count() {
    return this.points.length;
  }

  x(seconds) {
    return LEFT + (this.width - LEFT - RIGHT) * (seconds - this.fromS) / (this.toS - this.fromS);
  }

  centre(index) {
    const { from_s: fromS, to_s: toS } = this.points[index];
    return this.x((fromS + toS) / 2);
  }

  indexAt(x) {
    const found = this.points.findIndex((point) => x < this.x(point.to_s));
    return found < 0 ? this.count - 1 : found;
  }

  draw() {
    return svg("svg", { width: this.width, height: HEIGHT, "aria-hidden": "true" },
      hatches(), ...this.#scales(), ...this.points.flatMap((point) => this.#step(point)),
      svg("path", { class: "rate-line", d: this.#ratePath() }),
      svg("line", { class: "cursor", y1: TOP, y2: STRIP_TOP + STRIP, display: "none" }));
  }

  #scales() {
    const parts = [];
    for (const share of [0, 0.5, 1]) {
      parts.push(...this.#level(rateY(share), `${share * 100} %`));
    }
    for (const share of [0, 0.5, 1]) {
      const count = this.most * share;
      if (Number.isInteger(count)) parts.push(...this.#level(PEOPLE_TOP + PEOPLE * (1 - share), String(count)));
    }
    parts.push(label("plot-name", LEFT, TOP - 6, "Wore a mask, as observed, with its 95 % interval"),
      label("plot-name", LEFT, PEOPLE_TOP - 6, "People (n)"));
    for (const { atS, words } of this.ticks(this.fromS, this.toS, this.width - LEFT)) {
      const x = this.x(atS);
      parts.push(svg("line", { class: "grid", x1: x, x2: x, y1: TOP, y2: STRIP_TOP + STRIP }),
        label("tick", Math.min(x, this.width - 20), HEIGHT - 6, words, x < LEFT + 12 ? "start" : "middle"));
    }
    return parts;
  }

  #level(y, words) {
    return [svg("line", { class: "grid", x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y }),
      label("tick", LEFT - 6, y + 4, words, "end")];
  }

  #step(point) {
    const left = this.x(point.from_s);
    const width = this.x(point.to_s) - left;
    const parts = [...this.#coverage(point, left, width)];
    if (!point.people) return point.watched_s > 0 ? [...parts, ...both("gap", left, width)] : parts;
    if (invalidShare(point) > MOSTLY) parts.push(...both("invalid", left, width));
    const { rate, low, high, corrected_low: least, corrected_high: most } = point.compliance;
    // Steps of a recording have no corrected interval.
    if (Number.isFinite(most)) parts.push(rectangle("band corrected", left, rateY(most), width, rateY(least) - rateY(most)));
    if (rate !== null) parts.push(rectangle("band", left, rateY(high), width, rateY(low) - rateY(high)));
    return [...parts, ...this.#bars(point, left, width)];
  }

  #bars(point, left, width) {
    const space = width > 6 ? 2 : width > 3 ? 1 : 0;
    let top = PEOPLE_TOP + PEOPLE;
    return VERDICTS.filter((verdict) => point.people[verdict]).map((verdict) => {
      const height = PEOPLE * point.people[verdict] / this.most;
      top -= height;
      return rectangle(`bar ${verdict}`, left + space / 2, top, width - space, height);
    });
  }

  // Below: how much of the step was analysed and valid, invalid, or not analysed at all. What is
  // left, before the camera was added or after now, stays empty.
  #coverage(point, left, width) {
    const { covered, invalid, missing } = coverage(point);
    const parts = [
      ["covered", left, width * covered],
      ["invalid", left + width * covered, width * invalid],
      ["gap", left + width * (covered + invalid), width * missing],
    ];
    return parts.filter(([, , part]) => part > 0.05)
      .map(([name, start, part]) => rectangle(name, start, STRIP_TOP, part, STRIP));
  }

  // A stair: each step's rate holds for the whole step, and nothing is drawn across a gap.
  #ratePath() {
    let path = "";
    let joined = false;
    for (const point of this.points) {
      const rate = point.compliance?.rate ?? null;
      if (rate !== null) {
        const y = rateY(rate).toFixed(1);
        path += `${joined ? "L" : "M"}${this.x(point.from_s).toFixed(1)} ${y}H${this.x(point.to_s).toFixed(1)}`;
      }
      joined = rate !== null;
    }
    return path;
  }
}

// In both plots, and not across the words between them.
function both(name, left, width) {
  return [rectangle(name, left, TOP, width, RATE), rectangle(name, left, PEOPLE_TOP, width, PEOPLE)];
}

export function everyone(point) {
  return point.people ? VERDICTS.reduce((sum, verdict) => sum + point.people[verdict], 0) : 0;
}

export function invalidS(point) {
  return Object.values(point.invalid_s).reduce((sum, seconds) => sum + seconds, 0);
}

// Shares of a step of one camera: analysed and valid, invalid, there and not analysed.
export function coverage(point) {
  const lengthS = point.to_s - point.from_s;
  const invalid = invalidShare(point);
  const watched = Math.max(Math.min(1, point.watched_s / lengthS), invalid);
  const analysed = Math.max(Math.min(watched, point.analysed_s / lengthS), invalid);
  return { covered: analysed - invalid, invalid, missing: watched - analysed };
}

function invalidShare(point) {
  return Math.min(1, invalidS(point) / (point.to_s - point.from_s));
}

function rateY(share) {
  return TOP + RATE * (1 - share);
}
