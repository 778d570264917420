// Brings a file of cameras: says what it would change, then changes it when told to.

import { call } from "./api.js";
import { takeFiles } from "./drop_zone.js";
import { at } from "./paths.js";
import { cell, emptyRow, row } from "./rows.js";
import { setText } from "./words.js";

const API = at("/api/v1/cameras/import");
const OUTCOMES = {
  added: "Added", changed: "Changed", unchanged: "Unchanged", refused: "Refused", removed: "Removed",
};
const LONGEST_VALUE = 120;

// What needs a decision comes first.
const ORDER = ["refused", "removed", "changed", "added"];

const element = (id) => document.getElementById(id);
const [chooser, drop, message, panel, apply, sure] = ["file", "drop", "message", "plan", "apply", "sure"].map(element);
const options = { partial: element("partial"), remove_missing: element("remove-missing") };
let chosen = null; // what is in the file, as it was when it was chosen

async function take(file) {
  if (!file) return;
  const form = file.name.toLowerCase().endsWith(".csv") ? "csv" : "yaml";
  chosen = { form, body: new Blob([await file.arrayBuffer()], { type: "application/octet-stream" }) };
  setText(element("chosen"), file.name);
  await look();
}

async function send(dryRun) {
  const asked = new URLSearchParams({ format: chosen.form });
  if (dryRun) asked.set("dry_run", "1");
  for (const [name, box] of Object.entries(options)) if (box.checked) asked.set(name, "1");
  return call("POST", `${API}?${asked}`, chosen.body, dryRun ? "" : chosen.revision);
}

async function look() {
  if (!chosen) return;
  await attempt(async () => {
    const found = await send(true);
    chosen.revision = found.revision;
    setText(element("plan-title"), "Planned changes");
    show(found);
    sure.checked = false;
    const { added, changed, removed, refused } = found.counts;
    const count = added + changed + removed;
    const stuck = refused > 0 && !options.partial.checked;
    if (stuck) complain("A camera has errors, so nothing can be applied. Correct the file, or apply the valid cameras only.");
    apply.hidden = count === 0 || stuck;
    setText(apply, `Apply ${count} ${count === 1 ? "change" : "changes"}`);
    apply.classList.toggle("danger", removed > 0);
    allow();
  });
}

// Cameras go only when that was confirmed by itself, beside their names.
function allow() {
  const unsure = !element("losses").hidden && !sure.checked;
  apply.disabled = unsure;
  element("first-confirm").hidden = apply.hidden || !unsure;
}

async function carryOut() {
  apply.disabled = true;
  await attempt(async () => {
    const found = await send(false);
    setText(element("plan-title"), "Applied changes");
    show(found);
    apply.hidden = true;
    element("losses").hidden = true;
  });
  allow();
}

async function attempt(action) {
  message.hidden = true;
  try {
    await action();
  } catch (error) {
    panel.hidden = !error.answer?.cameras;
    if (error.answer?.cameras) show(error.answer);
    apply.hidden = true;
    element("first-confirm").hidden = true;
    complain(error.message);
  }
}

function complain(words) {
  setText(message, words);
  message.hidden = false;
}

function show({ counts, cameras }) {
  const words = Object.entries(OUTCOMES)
    .filter(([outcome]) => counts[outcome])
    .map(([outcome, word]) => `${counts[outcome]} ${word.toLowerCase()}`);
  setText(element("summary"), `${cameras.length} cameras: ${words.join(", ")}`);
  showLosses(cameras.filter(({ outcome }) => outcome === "removed"));
  const rows = ORDER.flatMap((wanted) => cameras.filter(({ outcome }) => outcome === wanted)).map(cameraRow);
  element("rows").tBodies[0].replaceChildren(...(rows.length ? rows : [emptyRow("The file changes no camera", 4)]));
  panel.hidden = false;
}

function showLosses(going) {
  element("losses").hidden = !going.length;
  const counted = (people) => `${people.toLocaleString("en")} ${people === 1 ? "person" : "people"} counted`;
  element("losses-names").replaceChildren(...going.map(({ name, people }) => {
    const item = document.createElement("li");
    item.textContent = `${name}: ${counted(people ?? 0)}`;
    return item;
  }));
  const all = going.reduce((sum, { people }) => sum + (people ?? 0), 0);
  setText(element("losses-words"),
    `Remove ${going.length === 1 ? "this camera" : `these ${going.length} cameras`} and delete ${counted(all)}. This cannot be undone.`);
}

function cameraRow({ line, name, outcome, changes, problems }) {
  const details = cell("");
  const lines = [
    ...changes.map(({ field, before, after }) => `${field}: ${value(before)} → ${value(after)}`),
    ...problems.map(({ field, detail }) => (field ? `${field}: ${detail}` : detail)),
  ];
  for (const words of lines) {
    const paragraph = document.createElement("div");
    paragraph.textContent = words;
    details.append(paragraph);
  }
  const grave = outcome === "refused" || outcome === "removed";
  const made = row(cell(line ?? "–", "number"), cell(name || "–"), cell(OUTCOMES[outcome], grave ? "wrong" : ""), details);
  made.dataset.outcome = outcome;
  made.firstElementChild.dataset.label = "Line";
  return made;
}

function value(given) {
  if (given === "" || given === null) return "–";
  if (Array.isArray(given)) return given.length ? short(JSON.stringify(given)) : "none";
  if (typeof given === "boolean") return given ? "yes" : "no";
  return short(String(given));
}

function short(words) {
  return words.length > LONGEST_VALUE ? `${words.slice(0, LONGEST_VALUE)}…` : words;
}

takeFiles(chooser, drop, ([file]) => take(file));
for (const box of Object.values(options)) {
  box.onchange = () => {
    // The two together could remove a camera whose row was refused.
    for (const other of Object.values(options)) if (other !== box && box.checked) other.checked = false;
    look();
  };
}
sure.onchange = allow;
apply.onclick = carryOut;
