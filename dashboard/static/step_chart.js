// A compliance chart in its place on a page, as wide as that is, with its cursor.

import { Cursor } from "./cursor.js";
import { stepWords } from "./report_words.js";
import { TimelineChart } from "./timeline_chart.js";

export class StepChart {
  // spanOf(point): the step's time in words; ticks: as `timeTicks`, for other clocks than the day's.
  constructor(root, spanOf, ticks) {
    this.canvas = root.querySelector('[data-part="chart"]');
    this.cursor = new Cursor(this.canvas, root.querySelector('[data-part="tip"]'));
    this.spanOf = spanOf;
    this.ticks = ticks;
    this.points = [];
    new ResizeObserver(() => this.#draw()).observe(this.canvas);
  }

  // Show these points from now on, as the API gives them.
  show(points) {
    this.points = points;
    this.#draw();
  }

  #draw() {
    const { points } = this;
    const width = Math.floor(this.canvas.clientWidth);
    if (!points.length || !width) return;
    const chart = new TimelineChart(points, width, this.ticks);
    this.canvas.querySelector("svg")?.remove();
    this.canvas.prepend(chart.draw());
    chart.words = (index) => [this.spanOf(points[index]), ...stepWords(points[index])].join(". ");
    chart.lines = (index) => [line("strong", this.spanOf(points[index])),
      ...stepWords(points[index]).map((words) => line("span", words))];
    this.cursor.use(chart);
  }
}

export function line(tag, words = "") {
  const element = document.createElement(tag);
  element.textContent = words;
  return element;
}
