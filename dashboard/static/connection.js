// The page's one connection to the dashboard: kept up, and honest about being down.

import { signInAgain } from "./api.js";
import { at } from "./paths.js";
import { RecordReader } from "./records.js";
import { setText } from "./words.js";

const SILENT_MS = 3500; // the server sends a state record every second
const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 3000;

export class Connection {
  // handlers: picture(head, body), state(head), trouble(detail), lost(), opened()
  constructor(handlers) {
    this.handlers = handlers;
    this.wanted = null;
    this.abort = null;
  }

  // Subscribe to these cameras' pictures; states of all cameras come with them.
  // `large`: those of them whose picture is large; `slow`: so small that few pictures do.
  watch(cameraIds, large = [], slow = []) {
    const list = (ids) => encodeURIComponent([...ids].sort().join(","));
    const wanted = `cameras=${list(cameraIds)}&large=${list(large)}&slow=${list(slow)}`;
    if (wanted === this.wanted) return;
    this.wanted = wanted;
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    this.#keepUp(wanted, abort);
  }

  close() {
    this.wanted = null;
    this.abort?.abort();
    this.abort = null;
  }

  async #keepUp(wanted, abort) {
    let pauseMs = FIRST_PAUSE_MS, words;
    while (!abort.signal.aborted) {
      try {
        await this.#read(wanted, abort, () => { pauseMs = FIRST_PAUSE_MS; });
        words = "";
      } catch (error) {
        // However it ended, it is down. Words are the server's own, where it could say why.
        words = error.words ?? "";
      }
      if (abort.signal.aborted) return;
      if (words) this.handlers.trouble(words);
      else this.handlers.lost();
      await new Promise((done) => setTimeout(done, pauseMs));
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
    }
  }

  async #read(wanted, abort, heard) {
    const attempt = new AbortController();
    const end = () => attempt.abort();
    abort.signal.addEventListener("abort", end);
    let watchdog = setTimeout(end, SILENT_MS);
    try {
      const url = at(`/wall/stream?${wanted}`);
      const answer = await fetch(url, { signal: attempt.signal, cache: "no-store" });
      if (answer.status === 401) signInAgain();
      if (!answer.ok) throw await refusal(answer);
      this.handlers.opened();
      const reader = answer.body.getReader();
      const records = new RecordReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(watchdog);
        watchdog = setTimeout(end, SILENT_MS);
        heard();
        if (abort.signal.aborted) return;
        for (const { head, body } of records.push(value)) this.#hand(head, body);
      }
    } finally {
      clearTimeout(watchdog);
      abort.signal.removeEventListener("abort", end);
      attempt.abort();
    }
  }

  #hand(head, body) {
    if (head.type === "picture") this.handlers.picture(head, body);
    else if (head.type === "state") {
      showLoss(head.redis_loss);
      this.handlers.state(head);
    }
    else if (head.type === "trouble") this.handlers.trouble(head.detail);
  }
}

// The notice above every page of data that Redis has lost, as base.html makes it; none for "".
function showLoss(words) {
  let notice = document.querySelector('[data-part="redis-loss"]');
  if (!words) return notice?.remove();
  if (!notice) {
    notice = document.createElement("p");
    notice.className = "notice";
    notice.role = "alert";
    notice.dataset.part = "redis-loss";
    document.getElementById("main").before(notice);
  }
  setText(notice, words);
}

// Why the dashboard does not open the stream, with `words` for people while Redis is in trouble.
async function refusal(answer) {
  const error = new Error(`the dashboard answered ${answer.status}`);
  if (answer.status === 503) error.words = (await answer.json()).detail;
  return error;
}
