// The compliance timeline of one camera: ranges, chart, table, peaks, CSV.

import { call } from "./api.js";
import { at } from "./paths.js";
import { analysedWords, correctedWords, invalidWords, peaks, rateWords } from "./report_words.js";
import { line, StepChart } from "./step_chart.js";
import { spanWords } from "./ticks.js";
import { everyone } from "./timeline_chart.js";
import { percent, setText, VERDICTS, ZONE } from "./words.js";

const PEAKS = 3;
// From when, in which steps, and how often to look again.
const RANGES = {
  "1h": { step: "minute", everyS: 15, from: (now) => now.setMinutes(now.getMinutes() - 59, 0, 0) },
  "24h": { step: "hour", everyS: 60, from: (now) => now.setHours(now.getHours() - 23, 0, 0, 0) },
  "7d": { step: "hour", everyS: 120, from: (now) => { now.setDate(now.getDate() - 6); now.setHours(0, 0, 0, 0); } },
  "30d": { step: "day", everyS: 300, from: (now) => { now.setDate(now.getDate() - 29); now.setHours(0, 0, 0, 0); } },
};

export class TimelinePanel {
  constructor(root, cameraId) {
    this.root = root;
    this.cameraId = cameraId;
    this.ranges = { ...RANGES };
    const chosen = root.querySelector('input[value="chosen"]');
    if (chosen) this.ranges.chosen = chosenRange(Number(chosen.dataset.from), Number(chosen.dataset.to));
    this.range = chosen ? "chosen" : "24h";
    this.report = null;
    this.readAt = -Infinity;
    this.chart = new StepChart(root, (point) => this.#span(point));
    for (const input of root.querySelectorAll('input[name="range"]')) {
      input.checked = input.value === this.range;
      input.addEventListener("change", () => { this.range = input.value; this.read(); });
    }
    root.querySelector("details").addEventListener("toggle", () => this.#showTable());
  }

  // Call every few seconds; reads again when the range's time has come.
  async refresh() {
    if (performance.now() / 1000 - this.readAt >= this.ranges[this.range].everyS) await this.read();
  }

  async read() {
    const range = this.range;
    const { step, from, toS } = this.ranges[range];
    const start = new Date();
    from(start);
    const query = new URLSearchParams({
      camera: this.cameraId, from: Math.floor(start.getTime() / 1000), step, tz: ZONE,
    });
    if (toS) query.set("to", toS);
    this.readAt = performance.now() / 1000;
    let report;
    try {
      report = await call("GET", at(`/api/v1/compliance?${query}`));
    } catch (error) {
      this.#say(error.message);
      return;
    }
    if (range !== this.range) return; // another was chosen meanwhile
    this.report = report;
    query.set("format", "csv");
    this.root.querySelector('[data-part="csv"]').href = at(`/api/v1/compliance?${query}`);
    this.chart.show(report.points);
    this.#showTotal();
    this.#showTable();
    this.#showPeaks();
    this.root.dataset.range = range;
  }

  #say(words) {
    setText(this.root.querySelector('[data-part="total"]'), words);
  }

  #showTotal() {
    const { total } = this.report;
    const said = total.people && [rateWords(total.compliance), correctedWords(total.compliance),
      analysedWords(total), invalidWords(total)].filter(Boolean).join(". ");
    this.#say(total.people ? `${said}.`
      : total.watched_s > 0 ? "This period was not analysed." : "The camera was not there in this period.");
  }

  #span(point) {
    return spanWords(point, this.report.step === "day", this.range === "1h" || this.range === "24h");
  }

  #showPeaks() {
    const best = peaks(this.report.points, PEAKS).map((point) =>
      line("li", `${this.#span(point)}: ${everyone(point)} people, ${
        point.compliance.rate === null ? "nobody judged" : `${percent(point.compliance.rate)} masked`}`));
    const list = this.root.querySelector('[data-part="peaks"]');
    list.replaceChildren(...(best.length ? best : [line("li", "No people in this period")]));
  }

  #showTable() {
    const details = this.root.querySelector("details");
    if (!details.open || !this.report) return;
    const rows = this.report.points.map((point) => this.#row(point));
    details.querySelector("tbody").replaceChildren(...rows);
  }

  #row(point) {
    const row = line("tr");
    const time = line("th", this.#span(point));
    time.scope = "row";
    const known = Boolean(point.people);
    const { people: judged, rate, low, high, corrected_low: least, corrected_high: most }
      = point.compliance ?? { people: "", rate: null };
    const cells = [...VERDICTS.map((verdict) => (known ? point.people[verdict] : "–")),
      known ? judged : "–", rate === null ? "–" : percent(rate),
      rate === null ? "–" : `${percent(low)} to ${percent(high)}`,
      Number.isFinite(most) ? `${percent(least)} to ${percent(most)}` : "–",
      point.analysed_share === null ? "–" : percent(point.analysed_share),
      known ? invalidWords(point) || "–" : point.watched_s > 0 ? "Not analysed" : "–"];
    row.append(time, ...cells.map((words) => line("td", String(words))));
    return row;
  }
}

// A period that another page led to, in steps that a chart can show.
function chosenRange(fromS, toS) {
  const hours = (toS - fromS) / 3600;
  const step = hours <= 3 ? "minute" : hours <= 24 * 8 ? "hour" : "day";
  return { step, everyS: 120, toS, from: (start) => start.setTime(fromS * 1000) };
}
