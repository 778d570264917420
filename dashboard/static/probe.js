// Runs a connection test and tells how it goes.

import { call } from "./api.js";
import { at } from "./paths.js";

const POLL_MS = 250;
const UNTAKEN_S = 3;
const GIVE_UP_S = 60;

const ADVICE = {
  refused: ["The host answers, but no camera service listens on that port.",
    "Check the port (RTSP is usually 554) and that RTSP is switched on in the camera."],
  forbidden: ["This system does not connect there. If it should, an administrator can allow the "
    + "address or the folder in the settings (MASKWATCH_SOURCE_*)."],
  host_not_found: ["Check the address for typing errors.",
    "Check that this server can reach the camera's network: VLAN, VPN, firewall."],
  authentication: ["Check the user and the password. Some cameras have a separate RTSP user.",
    "After several wrong attempts the camera may lock the account for some minutes."],
  not_found: ["The host answers, but has no stream at this path. Look up the path in the camera's manual.",
    "For a file or a device: the path must exist on the machine that runs ingest."],
  timeout: ["The camera did not send a picture in time. It may be starting, or have too many viewers.",
    "A firewall that drops packets has the same effect. Check that the port is open."],
  too_large: ["Set a smaller resolution in the camera, or use its second stream."],
  unsupported_codec: ["Set the camera's codec to H.264 or H.265."],
  secret_key: ["Ingest, jobs and dashboard need the same key file (MASKWATCH_SECRET_KEY_FILE)."],
  no_video: ["The address answers, but not with video. A camera's web page is not its stream."],
  hung_up: ["Check that this is the camera's video port (RTSP is usually 554).",
    "If the port is right, restart the camera or close other viewers."],
  rejected: ["The camera may allow only a few viewers at once: close others.",
    "Look up the stream's path in the manual."],
  server_error: ["The camera is starting or has an internal fault. Wait a minute; if that does not help, restart it."],
  redirect: ["Copy the stream's own address from the camera's manual."],
  no_key_frame: ["Set the camera's key-frame (I-frame) interval to 1 or 2 seconds."],
  undecodable: ["Check the cable, the switch and the Wi-Fi.", "Set the camera's codec to H.264."],
  ended: ["The camera closed the stream. It may allow only a few viewers at once."],
};
const MEDIA = {
  stream: "a video stream",
  mjpeg: "Motion JPEG",
  snapshots: "a single picture, which Maskwatch asks for again and again",
  hls: "an HLS playlist",
  film: "a video file",
  webcam: "a webcam",
  demo: "a demo camera",
};
const NO_JOBS = "No jobs process took the test. Start one with `maskwatch jobs`. "
  + "You can save the camera without a test.";

const LARGE_SHARE = 1 / 15; // of the height: faces of people who stand 5 m away are smaller
const STEP_STATES = { open: "", current: ": under way", done: ": done", failed: ": failed here" };

const panel = document.getElementById("probe");
const part = (name) => panel.querySelector(`[data-part="${name}"]`);
let shownUrl = "";

// maxWidth: how wide pictures are analysed at most, in pixels.
export async function probe(asked, maxWidth) {
  begin();
  try {
    const { id } = await call("POST", at("/api/v1/probes"), asked);
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
    const { state, steps, result: found } = await call("GET", at(`/api/v1/probes/${id}`));
    showSteps(steps.map(({ step }) => step), found);
    if (found) return found;
    if (state === "queued" && waitedS > UNTAKEN_S) say("untaken", NO_JOBS);
    else if (state === "queued") say("queued", "Waiting for a jobs process…");
    else say("running", `Testing… ${Math.round(waitedS)} s`);
    if (waitedS > GIVE_UP_S) throw new Error("The test took too long and was cancelled.");
  }
}

function begin() {
  for (const name of ["shot", "facts", "advice", "steps"]) part(name).hidden = true;
  say("queued", "Starting the test…");
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
    ["Found", MEDIA[found.medium] ?? "video"],
    ["Resolution", found.width ? `${found.width} × ${found.height}` : "unknown"],
    ["Rate", found.fps ? `${Number(found.fps).toFixed(1)} frames per second` : "unknown"],
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
  const lines = [`Maskwatch can judge masks on faces that are at least ${facePx} px high: 1/${Math.round(1 / share)} of the picture, as high as the square in the corner.`];
  if (share > LARGE_SHARE) {
    lines.push("That is a large part of this picture. If this is the camera's second stream, use its main stream, or raise the maximum width.");
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
