// What was found in one recording.

import { call } from "./api.js";
import { at } from "./paths.js";
import { cell, emptyRow, row, verdictCell } from "./rows.js";
import { StepChart } from "./step_chart.js";
import { elapsed, elapsedTicks } from "./ticks.js";
import { duration, percent, setText, VERDICT_WORDS, VERDICTS } from "./words.js";

const page = document.getElementById("recording");
const message = document.getElementById("message");
const api = at(`/api/v1/recordings/${page.dataset.recording}`);
const part = (name) => page.querySelector(`[data-part="${name}"]`);

const chart = new StepChart(document.getElementById("timeline"),
  ({ from_s: fromS, to_s: toS }) => `${elapsed(fromS)} to ${elapsed(Math.ceil(toS))}`, elapsedTicks);

async function show() {
  try {
    const recording = await call("GET", api);
    setText(part("name"), recording.name);
    part("links").hidden = false;
    if (recording.report) {
      part("player").src = `${api}/video`;
      part("player").hidden = false;
      showReport(recording.report, recording.expires_in_s);
    }
    else complain(recording.error || "This recording has not been analysed yet.");
  } catch (error) {
    complain(error.message);
  }
}

function showReport(report, expiresInS) {
  const { people: judged, rate } = report.total.compliance;
  setText(part("rate"), rate === null ? "–" : percent(rate));
  setText(part("interval"), rate === null ? "nobody could be judged"
    : `of ${judged} ${judged === 1 ? "person" : "people"} wore a mask (95 % interval ${interval(report.total.compliance)})`);
  facts([
    ["People", VERDICTS.map((verdict) => `${report.total.people[verdict]} ${VERDICT_WORDS[verdict].toLowerCase()}`).join(", ")],
    ["Length", `${clock(report.duration_s)}, ${report.width} × ${report.height}, ${report.codec}`],
    ["Analysed", `${report.frames} pictures with ${report.faces} faces in ${report.took_s.toFixed(1)} s, ${report.times_real_time} times real time`],
    ...damage(report),
    ["Deleted in", duration(expiresInS)],
  ]);
  // A recording is analysed from end to end.
  const whole = ({ from_s: fromS, to_s: toS }) => ({ analysed_share: 1, analysed_s: toS - fromS, watched_s: toS - fromS, invalid_s: {} });
  chart.show(report.steps.map((one) => ({ ...one, ...whole(one) })));
  part("steps").replaceChildren(...report.steps.map(step));
  const people = report.people.map((person) => row(
    cell(clock(person.first_seen_s)), cell(clock(person.last_seen_s)),
    verdictCell(person.verdict, VERDICT_WORDS[person.verdict]),
    cell(person.verdict === "unknown" ? "–" : percent(person.confidence), "number"),
    cell(String(Math.round(person.best_face_px)), "number"),
  ));
  part("people").replaceChildren(...(people.length ? people : [emptyRow("No people counted", 5)]));
  page.dataset.state = "shown";
}

function damage(report) {
  const { skipped, skipped_spans_s: spans, missing_at_end_s: missingS } = report;
  const words = [];
  if (skipped) words.push(`${skipped} damaged ${skipped === 1 ? "part" : "parts"} skipped, ${spans.slice(0, 5).map(span).join(", ")}${spans.length > 5 ? " and later" : ""}`);
  if (missingS) words.push(`the last ${clock(missingS)} of ${clock(report.duration_s)} are missing`);
  else if (report.cut_short) words.push("the file is cut off at its end");
  if (words.length) words.unshift(`${clock(report.analysed_s)} could be analysed`);
  const facts = words.length ? [["Damage", words.join("; ")]] : [];
  if (report.assumed_fps) facts.push(["Times", `The file holds no times; Maskwatch assumes ${report.assumed_fps} pictures a second`]);
  return facts;
}

function span([fromS, toS]) {
  return fromS === toS ? `at ${clock(fromS)}` : `${clock(fromS)} to ${clock(toS)}`;
}

function step({ from_s: fromS, to_s: toS, people, compliance }) {
  const { rate } = compliance;
  return row(cell(`${clock(fromS)} to ${clock(toS)}`, "nowrap"),
    ...VERDICTS.map((verdict) => cell(String(people[verdict]), "number")),
    cell(rate === null ? "–" : percent(rate), "number"),
    cell(rate === null ? "–" : interval(compliance), "nowrap"));
}

function interval({ low, high }) {
  return `${percent(low)} to ${percent(high)}`;
}

function clock(seconds) {
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  return `${minutes}:${rest.toFixed(1).padStart(4, "0")}`;
}

function facts(pairs) {
  const nodes = pairs.flatMap(([name, words]) => {
    const [term, value] = [document.createElement("dt"), document.createElement("dd")];
    [term.textContent, value.textContent] = [name, words];
    return [term, value];
  });
  part("facts").replaceChildren(...nodes);
}

function complain(words) {
  message.textContent = words;
  message.hidden = false;
}

show();
