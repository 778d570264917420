// Counts who leaves the picture, by the capture time of the picture on the screen.

import { call } from "./api.js";
import { ServerClock } from "./clock.js";
import { Connection } from "./connection.js";
import { at } from "./paths.js";
import { Tile } from "./tile.js";
import { setText } from "./words.js";

const TICK_MS = 200;

class Tally {
  constructor(root) {
    this.root = root;
    this.id = root.dataset.camera;
    this.clock = new ServerClock();
    this.tile = new Tile(root.querySelector(".view"), this.id);
    this.seen = [];
    this.part("begin").addEventListener("click", () => this.begin());
    this.part("one").addEventListener("click", () => this.one());
    this.part("undo").addEventListener("click", () => this.undo());
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  begin() {
    if (!this.#live()) return this.#say("Wait for the live picture.");
    this.fromS = this.tile.capturedAtS;
    this.seen = [];
    this.#state("counting");
    this.#show();
    this.part("one").focus();
  }

  one() {
    if (this.root.dataset.state !== "counting") return;
    this.seen.push(this.tile.capturedAtS);
    this.#show();
  }

  undo() {
    this.seen.pop();
    this.#show();
  }

  tick() {
    this.tile.tick(this.clock.now());
    const { state } = this.root.dataset;
    if (state === "counting") this.#count();
    else if (state === "settling") this.#settle();
  }

  #count() {
    if (!this.#live()) {
      this.#state("ready");
      return this.#say("The live picture was interrupted, so nothing was compared. Begin again.");
    }
    const leftS = this.fromS + Number(this.root.dataset.tallyS) - this.tile.capturedAtS;
    if (leftS > 0) return this.#say(`${Math.ceil(leftS)} seconds left.`);
    // The last picture may be a moment past the end: a press on it still counts.
    this.untilS = this.tile.capturedAtS;
    this.#state("settling");
  }

  #settle() {
    const leftS = this.untilS + Number(this.root.dataset.settledS) + 1 - this.clock.now();
    if (leftS > 0) return this.#say(`Comparing in ${Math.ceil(leftS)} seconds, when everybody is counted.`);
    this.#state("sending");
    this.#send();
  }

  async #send() {
    try {
      const found = await call("POST", at(`/api/v1/cameras/${this.id}/tallies`),
        { from_s: this.fromS, until_s: this.untilS, seen: this.seen });
      this.#say(`You saw ${found.seen}, Maskwatch counted ${found.counted}: ${found.missed} missed, ${found.too_many} too many.`);
      this.#state("done");
    } catch (error) {
      this.#say(error.message);
      this.#state("ready");
    }
  }

  #live() {
    return this.tile.capturedAtS !== null && this.tile.root.dataset.fresh === "live";
  }

  #show() {
    setText(this.part("number"), String(this.seen.length));
    this.part("undo").disabled = !this.seen.length;
  }

  #state(state) {
    this.root.dataset.state = state;
    const counting = state === "counting";
    this.part("one").hidden = this.part("undo").hidden = !counting;
    this.part("begin").hidden = !["ready", "done"].includes(state);
    setText(this.part("begin"), "Begin again");
  }

  #say(words) {
    setText(this.part("words"), words);
  }

  // A focused button is pressed by the space bar anyway.
  #key(event) {
    if (event.key !== " " || event.repeat || event.target.matches("button, a, input")) return;
    event.preventDefault();
    this.one();
  }
}

const link = document.querySelector('[data-part="connection"]');
const say = (state, words) => { link.dataset.link = state; setText(link, words); };
const tally = new Tally(document.getElementById("tally"));
new Connection({
  picture: (head, body) => tally.tile.show(head, body),
  state: (head) => {
    tally.clock.heard(head.sent_at_s);
    say("connected", "Connected");
    const camera = head.cameras.find((one) => one.id === tally.id);
    if (camera) tally.tile.update(camera);
    else tally.tile.markLost("This camera was removed.");
  },
  trouble: (detail) => { say("trouble", detail); tally.tile.markLost(detail, "State unknown"); },
  lost: () => { tally.clock.reset(); say("lost", "Connection lost"); tally.tile.markLost("Cannot reach the dashboard. Trying again…"); },
  opened: () => tally.clock.reset(),
}).watch([tally.id], [tally.id]);
setInterval(() => tally.tick(), TICK_MS);
