// This browser's webcam as a camera: each picture is sent, and comes back with its faces drawn.
// What comes back says how long it took, by this browser's own clock.

import { call, csrfToken } from "./api.js";
import { at } from "./paths.js";
import { setCounts, setText } from "./words.js";

const API = at("/api/v1/webcams");
const AT_ONCE = 2; // pictures under way: more would only wait for each other
const QUALITY = 0.8;
const PEOPLE_MS = 2000;
const REMEMBERED = 40;
const OLD_MS = 2500;
const INSECURE = "Browsers allow webcams on secure pages only. Open the dashboard over HTTPS, or on the "
  + "machine it runs on as http://localhost.";
const REASONS = {
  NotAllowedError: "The browser blocked the webcam. Allow it in the address bar and start again.",
  NotFoundError: "The browser found no webcam on this device.",
  NotReadableError: "Another program is using the webcam.",
};

const element = (id) => document.getElementById(id);
const page = element("webcam");
const [video, picture, message] = ["video", "picture", "message"].map(element);
const part = (name) => page.querySelector(`[data-part="${name}"]`);
const context = picture.getContext("2d");
const frame = document.createElement("canvas");

let webcam = null;
let underWay = 0;
let shown = 0;
let shownAtMs = 0;
let latencies = [];
let timers = [];

async function start() {
  message.hidden = true;
  if (!window.isSecureContext || !navigator.mediaDevices) return complain(INSECURE);
  element("start").disabled = true;
  setText(element("words"), "Waiting for the webcam…");
  try {
    const wanted = { width: { ideal: 1280 }, height: { ideal: 720 } };
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    await video.play();
    webcam = await call("POST", API);
    begin();
  } catch (error) {
    release();
    complain(REASONS[error.name] ?? error.message);
  }
  element("start").disabled = false;
}

function begin() {
  [underWay, shown, shownAtMs, latencies] = [0, 0, 0, []];
  page.dataset.state = "running";
  page.dataset.camera = webcam.id;
  timers = [setInterval(capture, 1000 / webcam.fps), setInterval(showPeople, PEOPLE_MS), setInterval(tick, 500)];
  element("start").hidden = true;
  element("stop").hidden = element("view").hidden = false;
  element("cover").hidden = false;
  setText(element("headline"), "Waiting for the first picture…");
  setText(element("words"), `Running as “${webcam.name}”`);
  element("stop").focus();
}

async function capture() {
  if (underWay >= AT_ONCE || !video.videoWidth) return;
  const { id } = webcam;
  underWay += 1;
  try {
    const takenMs = performance.now();
    const answer = await send(id, await encode());
    if (webcam?.id === id) await show(answer, takenMs);
  } catch (error) {
    if (webcam?.id === id && error.ended) finish(error.message);
  } finally {
    underWay -= 1;
  }
}

function encode() {
  const most = Math.sqrt(webcam.most_pixels / (video.videoWidth * video.videoHeight));
  const scale = Math.min(1, 1280 / video.videoWidth, most);
  frame.width = Math.floor(video.videoWidth * scale);
  frame.height = Math.floor(video.videoHeight * scale);
  frame.getContext("2d").drawImage(video, 0, 0, frame.width, frame.height);
  return new Promise((done) => frame.toBlob(done, "image/jpeg", QUALITY));
}

async function send(id, blob) {
  const headers = { "Content-Type": "image/jpeg", "X-CSRFToken": csrfToken };
  const answer = await fetch(`${API}/${id}/frames`, { method: "POST", headers, body: blob });
  if (answer.ok) return answer;
  const error = new Error((await answer.json().catch(() => null))?.detail ?? `answered ${answer.status}`);
  error.ended = [401, 403, 404, 410].includes(answer.status);
  throw error;
}

async function show(answer, takenMs) {
  const sequence = Number(answer.headers.get("X-Maskwatch-Sequence"));
  if (answer.status !== 200 || sequence <= shown) return;
  shown = sequence;
  const counts = JSON.parse(answer.headers.get("X-Maskwatch-Faces"));
  const bitmap = await createImageBitmap(await answer.blob());
  [picture.width, picture.height] = [bitmap.width, bitmap.height];
  context.drawImage(bitmap, 0, 0);
  shownAtMs = performance.now();
  latencies = [...latencies.slice(1 - REMEMBERED), { ms: shownAtMs - takenMs, atMs: shownAtMs }];
  page.dataset.sequence = sequence;
  setCounts(part("faces"), counts);
  element("cover").hidden = true;
}

// Numbers twice a second; and a picture that stands still never looks live.
function tick() {
  const nowMs = performance.now();
  if (!shownAtMs) return;
  const sorted = latencies.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (share) => Math.round(sorted[Math.floor((sorted.length - 1) * share)]);
  setText(part("latency"), `${at(0.5)} ms (95 %: ${at(0.95)} ms)`);
  page.dataset.latencyMs = at(0.5);
  setText(part("rate"), String(latencies.filter(({ atMs }) => nowMs - atMs < 2000).length / 2));
  if (nowMs - shownAtMs < OLD_MS) return;
  element("cover").hidden = false;
  setText(element("headline"), `No picture for ${Math.round((nowMs - shownAtMs) / 1000)} s`);
  setCounts(part("faces"), null);
}

async function showPeople() {
  const { id } = webcam;
  try {
    const { people } = await call("GET", at(`/api/v1/cameras/${id}`));
    if (webcam?.id === id) setCounts(part("people"), people);
  } catch {
    // The pictures tell whether it still runs.
  }
}

function release() {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
  setText(element("words"), "");
}

function finish(words) {
  timers.forEach(clearInterval);
  webcam = null;
  release();
  page.dataset.state = "idle";
  element("stop").hidden = element("view").hidden = true;
  element("start").hidden = false;
  if (words) complain(words);
  else setText(element("words"), "Stopped. All its data was deleted.");
}

function complain(words) {
  message.textContent = words;
  message.hidden = false;
}

// `keepalive`: it is sent even while the page goes away.
function forget() {
  const headers = { "X-CSRFToken": csrfToken };
  return fetch(`${API}/${webcam.id}`, { method: "DELETE", headers, keepalive: true });
}

element("start").onclick = start;
element("stop").onclick = async () => {
  const gone = forget().catch(() => null);
  finish("");
  await gone;
  element("start").focus();
};
addEventListener("pagehide", () => { if (webcam) forget(); });
