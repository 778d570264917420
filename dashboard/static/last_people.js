// The people a camera counted last, as rows. Read again when the counts say that somebody came.

import { call } from "./api.js";
import { cell, emptyRow, row, verdictCell } from "./rows.js";
import { clockTime, VERDICT_WORDS, VERDICTS } from "./words.js";

const SHOWN = 12;

export class LastPeople {
  constructor(body, api) {
    this.body = body;
    this.api = api;
    this.counted = null;
  }

  // Call with the camera's counts as they come.
  async counts(people) {
    const counted = VERDICTS.reduce((sum, verdict) => sum + people[verdict], 0);
    if (counted === this.counted) return;
    const before = this.counted;
    this.counted = counted;
    try {
      const answer = await call("GET", `${this.api}/people?limit=${SHOWN}`);
      this.#show(answer.people);
    } catch {
      this.counted = before; // with the next counts
    }
  }

  #show(people) {
    const rows = people.map((person) => row(
      cell(clockTime(person.last_seen_s), "nowrap"),
      verdictCell(person.verdict, VERDICT_WORDS[person.verdict]),
      cell(person.verdict === "unknown" ? "–" : `${Math.round(person.confidence * 100)} %`, "number"),
      cell(`${person.in_view_s.toFixed(1)} s`, "number"),
      cell(passed(person) || "–"),
    ));
    this.body.replaceChildren(...(rows.length ? rows : [emptyRow("No people counted yet", 5)]));
  }
}

function passed({ crossings, zones }) {
  return [...zones, ...crossings.map(({ line, direction }) => `${line} ${direction}`)].join(", ");
}
