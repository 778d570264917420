// Runs a connection test and tells how it goes.

import { call } from "./api.js";

const POLL_MS = 250;
const UNTAKEN_S = 3;
const GIVE_UP_S = 60;

const ADVICE = {
  refused: ["The device is there but no camera service listens on that port.",
    "Check the port (RTSP is usually 554) and that RTSP is switched on in the camera."],
  forbidden: ["This system does not connect there. If it should, an administrator can allow the "
    + "address or the folder in the settings (MASKWATCH_SOURCE_*)."],
  host_not_found: ["Check the address for typing mistakes.",
    "Check that this server reaches the camera's network: VLAN, VPN, firewall."],
  authentication: ["Check user and password. Some cameras have a separate RTSP user.",
    "Several wrong attempts may have locked the account for some minutes."],
  not_found: ["The host answers, but not for this path: look up the stream's path in the manual.",
    "For a file or a device: the path must exist on the machine that runs ingest."],
  timeout: ["The camera did not send a picture in time. Is it starting, or serving too many viewers?",
    "A firewall that drops packets looks the same: check that the port is open."],
  too_large: ["Set a smaller picture at the camera, or use its second stream."],
  unsupported_codec: ["Set the camera's stream to H.264 or H.265."],
  secret_key: ["Ingest, jobs and dashboard need the same key file (MASKWATCH_SECRET_KEY_FILE)."],
  no_video: ["The address answers, but not with video. A camera's web page is not its stream."],
  hung_up: ["Check that this is the port of the camera's video (RTSP is usually 554).",
    "If it is, restart the camera, or close other viewers."],
  rejected: ["The camera may allow only a few viewers at once: close others.",
    "Look up the stream's path in the manual."],
  server_error: ["The camera is starting, or has a fault of its own: wait a minute, then restart it."],
  redirect: ["Copy the stream's own address from the camera's manual."],
  no_key_frame: ["Set the camera's key-frame (I-frame) interval to 1 or 2 seconds."],
  undecodable: ["Check cable, switch and Wi-Fi.", "Set the camera's stream to H.264."],
  ended: ["The camera closed the stream. It may allow only a few viewers at once."],
};
const NO_JOBS = "No background process has taken up the test; start one with `maskwatch jobs`. "
  + "The camera can be saved without a test.";

const LARGE_SHARE = 1 / 15; // of the height: faces of people who stand 5 m away are smaller
const STEP_STATES = { open: "", current: ": under way", done: ": done", failed: ": failed here" };

const panel = document.getElementById("probe");
const part = (name) => panel.querySelector(`[data-part="${name}"]`);
let shownUrl = "";

// maxWidth: how wide pictures are analysed at most, in pixels.
export async function probe(asked, maxWidth) {
  begin();
  try {
    const { id } = await call("POST", "/api/v1/probes", asked);
    finish(await result(id), maxWidth);
  } catch (error) {
    finish({ reachable: false, error: error.kind, detail: error.message }, maxWidth);
  }
}

async function result(id) {
  const started = performance.now();
  for (;;) {
    await new Promise((done) => setTimeout(done, POLL_MS));
    const waitedS = (performance.now() - started) / 1000;
    const { state, steps, result: found } = await call("GET", `/api/v1/probes/${id}`);
    showSteps(steps.map(({ step }) => step), found);
    if (found) return found;
    if (state === "queued" && waitedS > UNTAKEN_S) say("untaken", NO_JOBS);
    else if (state === "queued") say("queued", "Waiting for a background process…");
    else say("running", `Testing… ${Math.round(waitedS)} s`);
    if (waitedS > GIVE_UP_S) throw new Error("The test took too long and was given up.");
  }
}

function begin() {
  for (const name of ["shot", "facts", "advice", "steps"]) part(name).hidden = true;
  say("queued", "Asking for a test…");
}

// Steps begun: the last of them runs, or it is where the test failed.
function showSteps(begun, found) {
  const list = part("steps");
  if (!begun.length) return;
  list.hidden = false;
  const last = begun[begun.length - 1];
  for (const line of list.children) {
    const { step } = line.dataset;
    let state = begun.includes(step) ? "done" : "open";
    if (step === last && !found?.reachable) state = found ? "failed" : "current";
    line.hidden = !begun.includes(begun[0] === "resolving" ? "resolving" : step) && state === "open";
    if (line.dataset.state === state) continue;
    line.dataset.state = state;
    line.querySelector('[data-part="done"]').textContent = STEP_STATES[state];
  }
}

function finish(found, maxWidth) {
  if (found.reachable) showPicture(found, maxWidth);
  else showError(found);
}

function showPicture(found, maxWidth) {
  say("reachable", "The camera answers.");
  facts([
    ["Resolution", found.width ? `${found.width} × ${found.height}` : "unknown"],
    ["Rate", found.fps ? `${Number(found.fps).toFixed(1)} pictures a second` : "unknown"],
    ["Codec", found.codec || "unknown"],
  ]);
  if (!found.snapshot_jpeg_base64) return;
  const bytes = Uint8Array.from(atob(found.snapshot_jpeg_base64), (c) => c.charCodeAt(0));
  URL.revokeObjectURL(shownUrl);
  shownUrl = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
  part("snapshot").src = shownUrl;
  part("shot").hidden = false;
  if (found.width) showFaceSize(found, maxWidth);
}

// How large a face must be in this picture: a square of that size, and words.
function showFaceSize({ width, height }, maxWidth) {
  const facePx = Number(panel.dataset.facePx);
  const analysed = Math.min(width, maxWidth || width);
  const share = facePx / ((height * analysed) / width);
  part("face").style.width = `${(facePx / analysed) * 100}%`;
  const lines = [`Masks can be judged where faces are at least ${facePx} px high, 1/${Math.round(1 / share)} of the picture's height: as high as the square in the corner.`];
  if (share > LARGE_SHARE) {
    lines.push("That is much of this picture: it may be the camera's second stream. Use its main stream, or raise the greatest width.");
  }
  advise(lines);
}

function showError(found) {
  say("failed", found.detail || "The camera could not be reached.");
  advise(ADVICE[found.error] ?? []);
}

function advise(lines) {
  part("advice").replaceChildren(...lines.map((words) => {
    const line = document.createElement("li");
    line.textContent = words;
    return line;
  }));
  part("advice").hidden = !lines.length;
}

function facts(pairs) {
  const nodes = pairs.flatMap(([name, words]) => {
    const term = document.createElement("dt");
    const value = document.createElement("dd");
    term.textContent = name;
    value.textContent = words;
    return [term, value];
  });
  part("facts").replaceChildren(...nodes);
  part("facts").hidden = false;
}

function say(state, words) {
  panel.dataset.state = state;
  part("words").textContent = words;
}
