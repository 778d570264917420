// One camera's page: the large view, its state, the faces in it and the people counted.

import { call } from "./api.js";
import { ServerClock } from "./clock.js";
import { Connection } from "./connection.js";
import { showFitness } from "./fitness.js";
import { ConnectionHistory } from "./connection_history.js";
import { LayoutEditor } from "./layout_editor.js";
import { LastPeople } from "./last_people.js";
import { at } from "./paths.js";
import { cell, emptyRow, row, verdictCell } from "./rows.js";
import { Tile } from "./tile.js";
import { TimelinePanel } from "./timeline.js";
import { WeekdayPanel } from "./weekday.js";
import { nameZone, percent, setText, STATE_WORDS, VERDICT_WORDS, VERDICTS, zonedTime } from "./words.js";

const TICK_MS = 200;
const FACES_MS = 1000;
const FITNESS_MS = 5000;
const HISTORY_MS = 5000;
const LOST = "Cannot reach the dashboard. Trying again…";

const page = document.getElementById("camera");
const message = document.getElementById("message");
const link = document.querySelector('[data-part="connection"]');
const id = page.dataset.camera;
const api = at(`/api/v1/cameras/${id}`);

const clock = new ServerClock();
const tile = new Tile(page.querySelector(".view"), id);
const timeline = new TimelinePanel(document.getElementById("timeline"), id);
const weekday = new WeekdayPanel(document.getElementById("weekday"), id);
const lastPeople = new LastPeople(document.querySelector("#people tbody"), api);
const layout = new LayoutEditor(document.getElementById("picture-and-layout"), document.getElementById("surface"),
  page.querySelector("[data-part=picture]"), api);
const connections = new ConnectionHistory(document.querySelector("#connections tbody"), api);

const connection = new Connection({
  picture: (head, body) => tile.show(head, body),
  state: (head) => {
    clock.heard(head.sent_at_s);
    say("connected", "Connected");
    const camera = head.cameras.find((one) => one.id === id);
    if (!camera) tile.markLost("This camera was removed.");
    else showCamera(camera);
  },
  trouble: (detail) => { say("trouble", detail); tile.markLost(detail, "State unknown"); },
  lost: () => { clock.reset(); say("lost", "Connection lost"); tile.markLost(LOST); },
  opened: () => clock.reset(),
});

function showCamera(camera) {
  tile.update(camera);
  const { status } = camera;
  const size = status.width ? `${status.width} × ${status.height}` : "–";
  const rate = status.fps ? `, ${status.fps.toFixed(1)} per second` : "";
  fact("state", `${STATE_WORDS[status.state]} since ${zonedTime(status.since_s)}`);
  fact("picture", `${size}${rate}${status.codec ? `, ${status.codec}` : ""}`);
  fact("reconnects", String(status.reconnects));
  fact("broken", status.broken ? `${status.broken.toLocaleString("en")} since connecting` : "None");
  setText(page.querySelector('[data-label="error"]'), status.notice && !status.error ? "Notice" : "Last error");
  fact("error", status.error || status.notice || "None");
  fact("quality", qualityWords(camera));
  showTotals(camera.people, camera.compliance);
  lastPeople.counts(camera.people);
  connections.status(status);
  layout.update(camera);
  page.dataset.enabled = camera.enabled;
  setText(document.getElementById("toggle"), camera.enabled ? "Switch off" : "Switch on");
}

function showTotals(people, { people: judged, rate, low, high }) {
  const all = Math.max(1, ...VERDICTS.map((verdict) => people[verdict]));
  for (const verdict of VERDICTS) {
    const row = page.querySelector(`[data-total="${verdict}"]`);
    row.querySelector("meter").value = people[verdict] / all;
    setText(row.querySelector(".number"), people[verdict].toLocaleString("en"));
  }
  setText(page.querySelector('[data-part="rate"]'), rate === null ? "–" : percent(rate));
  setText(page.querySelector('[data-part="interval"]'), rate === null
    ? "wore a mask; no verdicts yet"
    : `of ${judged.toLocaleString("en")} wore a mask (95 % interval ${percent(low)} to ${percent(high)})`);
}

function qualityWords({ reason, quality }) {
  if (reason) return "Unknown: no picture arrives.";
  const problems = quality.problems.map(({ words, since_s: sinceS }) => `${words} since ${zonedTime(sinceS)}`);
  return problems.length ? `${problems.join("; ")}. ${quality.advice}` : "No problems";
}

function fact(name, words) {
  setText(page.querySelector(`[data-fact="${name}"]`), words);
}

function say(state, words) {
  link.dataset.link = state;
  setText(link, words);
}

async function showFaces() {
  if (document.hidden) return;
  let found = [];
  try {
    const answer = await call("GET", `${api}/faces`);
    const stale = tile.root.dataset.fresh !== "live";
    found = stale ? [] : answer.faces;
  } catch {
    // The view itself says that the connection is lost; old faces must not stay.
  }
  const rows = found.map(faceRow);
  const body = document.querySelector("#faces tbody");
  body.replaceChildren(...(rows.length ? rows : [emptyRow("None", 5)]));
}

function faceRow(face) {
  const [left, top, right, bottom] = face.box;
  const sure = face.verdict === "unknown" ? "–" : `${Math.round(face.confidence * 100)} %`;
  return row(cell(`#${face.track_id}`), verdictCell(face.verdict, VERDICT_WORDS[face.verdict]),
    cell(sure, "number"), cell(`${Math.round(face.score * 100)} %`, "number"),
    cell(`${Math.round(right - left)} × ${Math.round(bottom - top)}`, "number"));
}

async function attempt(action) {
  message.hidden = true;
  try {
    await action();
  } catch (error) {
    message.textContent = error.message;
    message.hidden = false;
  }
}

// Only who may change a camera has these buttons.
const press = (button, act) => document.getElementById(button)?.addEventListener("click", act);
press("toggle", () => attempt(async () => {
  showCamera(await call("PATCH", api, { enabled: page.dataset.enabled !== "true" }));
}));

function readHistory() {
  if (document.hidden) return;
  timeline.refresh();
  weekday.refresh();
}

nameZone();
const subscribe = () => (document.hidden ? connection.close() : connection.watch([id], [id]));
document.addEventListener("visibilitychange", subscribe);
setInterval(() => tile.tick(clock.now()), TICK_MS);
setInterval(showFaces, FACES_MS);
const fitness = () => !document.hidden && showFitness(document.getElementById("fitness"), api);
setInterval(fitness, FITNESS_MS);
fitness();
setInterval(readHistory, HISTORY_MS);
readHistory();
subscribe();
