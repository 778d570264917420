// One camera on a page: its picture, and whether that picture is the present.

import { ALERT_WORDS, duration, percent, setCounts, setText, STATE_WORDS, zonedTime } from "./words.js";

const AMBER_S = 1;
const RED_S = 3;
const SMALL_PX = 640; // as in contract/pictures/views.py
const TINY_PX = 320;

export class Tile {
  constructor(root, cameraId) {
    this.root = root;
    this.cameraId = cameraId;
    this.parts = {};
    for (const part of root.querySelectorAll("[data-part]")) this.parts[part.dataset.part] = part;
    this.context = this.parts.picture.getContext("bitmaprenderer");
    this.camera = null;
    this.faces = null;
    this.capturedAtS = null;
    this.lost = "";
    this.pending = null;
    this.drawing = false;
    root.dataset.camera = cameraId;
  }

  // Whether the picture is shown larger than the small ones that workers draw.
  isLarge() {
    return this.parts.picture.clientWidth * window.devicePixelRatio > SMALL_PX * 1.1;
  }

  // Whether it is shown so small that a few pictures a second look the same as all of them.
  isTiny() {
    return this.parts.picture.clientWidth * window.devicePixelRatio < TINY_PX;
  }

  // What the server says of the camera.
  update(camera) {
    this.camera = camera;
    this.lost = "";
    this.faces = camera.faces;
    setText(this.parts.name, camera.name);
    setCounts(this.parts.people, camera.people);
    setText(this.parts.hour, hourWords(camera.last_hour));
    setText(this.parts.n, camera.last_hour?.people ? `n = ${camera.last_hour.people.toLocaleString("en")}` : "");
    this.#showAlert(camera.alerts);
    this.parts.picture.setAttribute("aria-label", `Picture of ${camera.name}`);
  }

  // The newest open alert in one line; how many more there are.
  #showAlert([newest, ...others]) {
    const { alert } = this.parts;
    if (alert) alert.hidden = !newest;
    if (!alert || !newest) return;
    const more = others.length ? `, and ${others.length} more` : "";
    setText(alert, `${ALERT_WORDS[newest.kind]} since ${zonedTime(newest.opened_at_s)}${more}`);
    alert.title = `${newest.rule}: ${newest.words}`;
  }

  // The browser cannot hear from the server: nothing here is known to be true any more.
  markLost(words, headline = "Connection lost") {
    this.lost = { fresh: "lost", headline, reason: words };
  }

  // A picture came. While one is being decoded only the newest of those that come is kept.
  show(head, body) {
    this.pending = { head, body };
    if (!this.drawing) this.#draw();
  }

  async #draw() {
    this.drawing = true;
    while (this.pending) {
      const { head, body } = this.pending;
      this.pending = null;
      try {
        const bitmap = await createImageBitmap(new Blob([body], { type: "image/jpeg" }));
        const { picture } = this.parts;
        if (picture.width !== bitmap.width || picture.height !== bitmap.height) {
          picture.width = bitmap.width;
          picture.height = bitmap.height;
        }
        this.context.transferFromImageBitmap(bitmap);
        this.capturedAtS = head.captured_at_s;
        this.root.dataset.sequence = head.sequence;
        this.faces = head.counts;
      } catch {
        // A broken picture: the last one stays and its age says so.
      }
    }
    this.drawing = false;
  }

  // Call a few times a second: the age runs on even when nothing comes.
  tick(nowS) {
    const ageS = this.capturedAtS === null ? null : Math.max(0, nowS - this.capturedAtS);
    const cover = this.#cover(ageS);
    this.root.dataset.fresh = cover ? cover.fresh : "live";
    setCounts(this.parts.faces, cover ? null : this.faces);
    this.#showState(cover);
    this.parts.cover.hidden = !cover;
    if (cover) {
      setText(this.parts.headline, cover.headline);
      setText(this.parts.reason, cover.reason);
    }
    this.#showTrouble(cover);
    setText(this.parts.age, ageS === null ? "" : duration(ageS));
    this.parts.age.dataset.level =
      ageS === null || ageS <= AMBER_S ? "ok" : ageS <= RED_S ? "amber" : "red";
  }

  // The camera's state, unless what is on the screen contradicts it or it is not known.
  #showState(cover) {
    let state = this.camera?.status.state ?? "connecting";
    let words = STATE_WORDS[state] ?? state;
    if (cover?.fresh === "lost") [state, words] = ["unknown", "Unknown"];
    else if (cover?.fresh === "stale" && state === "live") [state, words] = ["stalled", "No picture"];
    this.root.dataset.state = state;
    setText(this.parts.state, words);
  }

  // What is wrong with a picture that is the present, below it: first what makes its counts invalid.
  #showTrouble(cover) {
    const problem = cover ? null : this.camera?.quality.problems[0];
    const notice = cover || problem ? "" : this.camera?.status.notice ?? "";
    const { trouble } = this.parts;
    trouble.hidden = !problem && !notice;
    this.root.dataset.problem = problem ? problem.problem : "";
    this.root.dataset.notice = notice ? this.camera.status.notice_kind : "";
    if (problem) {
      setText(trouble, `${problem.words} since ${zonedTime(problem.since_s)}: counts are marked invalid`);
      trouble.title = this.camera.quality.advice;
    } else if (notice) {
      setText(trouble, notice);
      trouble.title = notice;
    }
  }

  // What to lay over the picture, or null while it is the present.
  #cover(ageS) {
    if (this.lost) return this.lost;
    const { camera } = this;
    if (!camera) return { fresh: "waiting", headline: "Connecting…", reason: "" };
    const { state, since_s: sinceS } = camera.status;
    const old = ageS === null || ageS > camera.stale_after_s;
    const reason = camera.reason || "No new picture has arrived.";
    if (state === "disabled" || (state !== "live" && old)) {
      return { fresh: "stale", headline: `${STATE_WORDS[state]} since ${zonedTime(sinceS)}`, reason };
    }
    if (!old) return null;
    const lastS = this.capturedAtS ?? camera.picture_at_s;
    if (this.capturedAtS === null && !camera.reason) {
      return { fresh: "waiting", headline: "Waiting for a picture…", reason: "" };
    }
    const headline = lastS === null ? "No picture yet" : `No picture since ${zonedTime(lastS)}`;
    return { fresh: "stale", headline, reason };
  }
}

function hourWords(hour) {
  if (!hour) return "–";
  if (hour.rate === null) return "nobody judged";
  const whole = (share) => Math.round(share * 100);
  return `${percent(hour.rate)} masked (${whole(hour.low)} to ${whole(hour.high)})`;
}
