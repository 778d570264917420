// Whether masks can be measured at a camera, and what to do if not.

import { call } from "./api.js";
import { setText } from "./words.js";

const LOOK_WORDS = { too_dark: "too dark", too_oblique: "turned away", too_blurred: "blurred" };

export async function showFitness(panel, api) {
  let fitness;
  try {
    fitness = await call("GET", `${api}/fitness`);
  } catch {
    return; // the view itself says that the connection is lost
  }
  panel.dataset.status = fitness.status;
  setText(panel.querySelector('[data-part="fit"]'), fitness.words);
  const advice = panel.querySelector('[data-part="advice"]');
  advice.hidden = !fitness.advice.length;
  advice.replaceChildren(...fitness.advice.map(item));
  fact(panel, "face-px", sizeWords(fitness));
  fact(panel, "judged", fitness.people
    ? `${percent(fitness.judged_share)} of the last ${fitness.people} people` : "No people yet");
  fact(panel, "looks", lookWords(fitness.looks));
}

function sizeWords({ people, face_px: px }) {
  if (!people) return "–";
  const [lower, upper] = [px.lower_quartile, px.upper_quartile].map(Math.round);
  return `${Math.round(px.median)} px at its largest (half of the people ${lower} to ${upper})`;
}

function lookWords(looks) {
  const known = Object.entries(LOOK_WORDS).filter(([name]) => looks[name] !== null);
  return known.map(([name, words]) => `${percent(looks[name])} ${words}`).join(", ") || "–";
}

function percent(share) {
  return `${Math.round(share * 100)} %`;
}

function item(words) {
  const entry = document.createElement("li");
  entry.textContent = words;
  return entry;
}

function fact(panel, name, words) {
  setText(panel.querySelector(`[data-fact="${name}"]`), words);
}
