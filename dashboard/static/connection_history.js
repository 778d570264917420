// What the camera's connection did last: since when, and why.

import { call } from "./api.js";
import { cell, emptyRow, row } from "./rows.js";
import { clockTime, duration, STATE_WORDS } from "./words.js";

const SHOWN = 8;

export class ConnectionHistory {
  constructor(body, api) {
    this.body = body;
    this.api = api;
    this.seen = "";
  }

  // Call with the camera's status as it comes; reads again when the state is another.
  async status({ state, since_s: sinceS }) {
    const now = `${state} ${sinceS}`;
    if (now === this.seen) return;
    const before = this.seen;
    this.seen = now;
    try {
      this.#show((await call("GET", `${this.api}/connections?limit=${SHOWN}`)).connections);
    } catch {
      this.seen = before;
    }
  }

  #show(entries) {
    const rows = entries.map((entry, place) => {
      const untilS = entries[place - 1]?.since_s;
      const lasted = untilS === undefined ? "" : duration(Math.max(0, untilS - entry.since_s));
      return row(cell(clockTime(entry.since_s), "nowrap"), cell(STATE_WORDS[entry.state] ?? entry.state),
        cell(lasted, "number nowrap"), cell(entry.error || "–"));
    });
    this.body.replaceChildren(...(rows.length ? rows : [emptyRow("No changes yet", 4)]));
  }
}
