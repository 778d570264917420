// Today, hour by hour, beside the same weekday of last week.

import { call } from "./api.js";
import { Cursor } from "./cursor.js";
import { at } from "./paths.js";
import { rateWords } from "./report_words.js";
import { label, rectangle, svg } from "./svg.js";
import { niceCeiling } from "./ticks.js";
import { everyone } from "./timeline_chart.js";
import { setText, ZONE } from "./words.js";

const HOURS = 24;
const EVERY_S = 120;
const LEFT = 44;
const TOP = 8;
const PLOT = 84;
const HEIGHT = TOP + PLOT + 22;

export class WeekdayPanel {
  constructor(root, cameraId) {
    this.root = root;
    this.cameraId = cameraId;
    this.readAt = -Infinity;
    this.days = null;
    this.canvas = root.querySelector('[data-part="chart"]');
    this.cursor = new Cursor(this.canvas, root.querySelector('[data-part="tip"]'));
    new ResizeObserver(() => this.#draw()).observe(this.canvas);
  }

  async refresh() {
    if (performance.now() / 1000 - this.readAt < EVERY_S) return;
    this.readAt = performance.now() / 1000;
    const now = new Date();
    const weekAgo = daysBefore(now, 7);
    try {
      const [today, before, beforeSoFar] = await Promise.all([
        this.#ask(midnight(now), now),
        this.#ask(midnight(weekAgo), midnight(daysBefore(now, 6))),
        this.#ask(midnight(weekAgo), weekAgo),
      ]);
      this.name = weekAgo.toLocaleDateString("en-GB", { weekday: "long" });
      this.days = { today: byHour(today), before: byHour(before) };
      this.#say(today.total, beforeSoFar.total, now);
      this.#draw();
    } catch (error) {
      setText(this.root.querySelector('[data-part="words"]'), error.message);
    }
  }

  #ask(from, to) {
    // The minute that runs now is in it, and there is always one.
    const toS = Math.max(Math.floor(to.getTime() / 1000), Math.floor(from.getTime() / 1000)) + 60;
    const query = new URLSearchParams({
      camera: this.cameraId, from: Math.floor(from.getTime() / 1000), to: toS, step: "hour", tz: ZONE,
    });
    return call("GET", at(`/api/v1/compliance?${query}`));
  }

  #say(today, before, now) {
    const until = now.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    setText(this.root.querySelector('[data-part="words"]'),
      `Today until ${until}: ${totalWords(today)}. Last ${this.name} until the same time: ${totalWords(before)}.`);
  }

  #draw() {
    const width = Math.floor(this.canvas.clientWidth);
    if (!this.days || !width) return;
    const { today, before } = this.days;
    const most = niceCeiling(Math.max(...[...today, ...before].map((point) => (point ? everyone(point) : 0))));
    const step = (width - LEFT - 8) / HOURS;
    const y = (count) => TOP + PLOT * (1 - count / most);
    const parts = [];
    for (const count of [0, most]) {
      parts.push(svg("line", { class: "grid", x1: LEFT, x2: width - 8, y1: y(count), y2: y(count) }),
        label("tick", LEFT - 6, y(count) + 4, String(count), "end"));
    }
    for (let hour = 0; hour < HOURS; hour += 1) {
      const left = LEFT + step * hour;
      const bar = (name, point, inset) => point?.people && parts.push(rectangle(
        name, left + inset, y(everyone(point)), step - 2 * inset, y(0) - y(everyone(point))));
      bar("bar today", today[hour], step * 0.26);
      bar("bar before", before[hour], step * 0.12);
      if (hour % (width < 500 ? 6 : 3) === 0) parts.push(label("tick", left, HEIGHT - 4, `${String(hour).padStart(2, "0")}:00`));
    }
    this.canvas.querySelector("svg")?.remove();
    this.canvas.prepend(svg("svg", { width, height: HEIGHT, "aria-hidden": "true" }, ...parts,
      svg("line", { class: "cursor", y1: TOP, y2: TOP + PLOT, display: "none" })));
    this.cursor.use({
      count: HOURS,
      centre: (hour) => LEFT + step * (hour + 0.5),
      indexAt: (x) => Math.floor((x - LEFT) / step),
      words: (hour) => this.#lines(hour).join(". "),
      lines: (hour) => this.#lines(hour).map((words, place) => {
        const line = document.createElement(place ? "span" : "strong");
        line.textContent = words;
        return line;
      }),
    });
  }

  #lines(hour) {
    const clock = `${String(hour).padStart(2, "0")}:00 to ${String(hour + 1).padStart(2, "0")}:00`;
    return [clock, `Today: ${hourWords(this.days.today[hour])}`,
      `Last ${this.name}: ${hourWords(this.days.before[hour])}`];
  }
}

// The steps of a day by the hour on the wall; twice an hour, when clocks are set back, adds up badly,
// so the first of the two is shown.
function byHour({ points }) {
  const hours = Array(HOURS).fill(null);
  for (const point of points) hours[Number(point.from.slice(11, 13))] ??= point;
  return hours;
}

function hourWords(point) {
  if (!point) return "not yet";
  return point.people ? totalWords(point) : "nothing analysed";
}

function totalWords(total) {
  if (!total.people) return "nothing analysed";
  return `${everyone(total).toLocaleString("en")} people; ${rateWords(total.compliance)}`;
}

function midnight(day) {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate());
}

function daysBefore(moment, days) {
  const earlier = new Date(moment);
  earlier.setDate(earlier.getDate() - days);
  return earlier;
}
