// Shows who was drawn, one after the other, and takes an answer by button or key.

import { call } from "./api.js";
import { setText } from "./words.js";

const LOOK_AGAIN_MS = 5000; // while nobody waits and people are still drawn

class Judging {
  constructor(root) {
    this.root = root;
    this.audit = root.dataset.audit;
    this.person = null;
    this.last = null; // whom an answer can be taken back of
    this.busy = false;
    this.answers = this.part("answers");
    for (const button of this.answers.querySelectorAll("button")) {
      button.addEventListener("click", () => this.answer(button.dataset.answer));
    }
    this.part("undo").addEventListener("click", () => this.undo());
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  async next() {
    clearTimeout(this.timer);
    const found = await call("GET", `${this.audit}/next`);
    this.person = found.person;
    setText(this.part("progress"), `${found.judged} judged, ${found.waiting} ${found.waiting === 1 ? "waits" : "wait"} for you`);
    this.answers.hidden = !found.person;
    this.part("looks").replaceChildren(...(found.person?.pictures ?? []).map(picture));
    setText(this.part("words"), found.person ? "" : found.running
      ? "Nobody waits for you now. The next person appears here by itself."
      : "Nobody waits for you any more.");
    this.root.dataset.state = found.person ? "judging" : "waiting";
    if (!found.person && found.running) this.timer = setTimeout(() => this.#try(() => this.next()), LOOK_AGAIN_MS);
  }

  answer(answer) {
    if (!this.person) return;
    this.#try(async () => {
      await call("PUT", this.#judgement(this.person.id), { answer });
      this.#remember(this.person.id);
      await this.next();
    });
  }

  undo() {
    if (!this.last) return;
    this.#try(async () => {
      await call("DELETE", this.#judgement(this.last));
      this.#remember(null);
      await this.next();
    });
  }

  start() {
    this.#try(() => this.next());
  }

  #judgement(person) {
    return `${this.audit}/people/${person}/judgement`;
  }

  #remember(person) {
    this.last = person;
    this.part("undo").disabled = !person;
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
    if (event.key.toLowerCase() === "u") this.undo();
    const button = [...this.answers.querySelectorAll("button")]
      .find((one) => one.querySelector("kbd").textContent === event.key);
    if (button && !this.answers.hidden) this.answer(button.dataset.answer);
  }

  // One thing at a time: a second press while the first is on its way is not an answer.
  async #try(act) {
    if (this.busy) return;
    this.busy = true;
    try {
      await act();
    } catch (error) {
      setText(this.part("words"), error.message);
    } finally {
      this.busy = false;
    }
  }
}

function picture(path, place) {
  const image = document.createElement("img");
  image.src = path;
  image.alt = `Picture ${place + 1} of this person`;
  return image;
}

new Judging(document.getElementById("judging")).start();
