// Try it with images: each is sent by itself, so that one that cannot be used stops no other.

import { call } from "./api.js";
import { takeFiles } from "./drop_zone.js";
import { at } from "./paths.js";
import { setText, VERDICT_WORDS, VERDICTS } from "./words.js";

const POLL_MS = 500;
const API = at("/api/v1/uploads");

const chooser = document.getElementById("files");
const drop = document.getElementById("drop");
const list = document.getElementById("uploads");
const template = document.getElementById("upload");
const progress = document.getElementById("progress");
const mostBytes = Number(chooser.dataset.bytes);
const part = (root, name) => root.querySelector(`[data-part="${name}"]`);

let waiting = [];
let working = false;
let done = 0;

function take(files) {
  for (const file of files) {
    const card = template.content.firstElementChild.cloneNode(true);
    setText(part(card, "name"), file.name || "Pasted image");
    list.prepend(card);
    waiting.push({ file, card });
  }
  work();
}

async function work() {
  if (working) return;
  working = true;
  while (waiting.length) {
    tell();
    const { file, card } = waiting.shift();
    try {
      show(card, await upload(file));
    } catch (error) {
      refuse(card, error.message);
    }
    done += 1;
  }
  working = false;
  tell();
}

function tell() {
  const words = waiting.length ? `Analysing: ${waiting.length} left` : "";
  setText(progress, words || (done ? `${done} ${done === 1 ? "image" : "images"} analysed` : ""));
}

async function upload(file) {
  if (file.size > mostBytes) {
    const mb = (bytes) => (bytes / 2 ** 20).toFixed(0);
    throw new Error(`The file has ${mb(file.size)} MB. The limit is ${mb(mostBytes)} MB.`);
  }
  const form = new FormData();
  form.append("image", file, file.name || "pasted.png");
  let found = await call("POST", API, form);
  while (found.state !== "finished") {
    await new Promise((after) => setTimeout(after, POLL_MS));
    found = await call("GET", `${API}/${found.id}`);
  }
  return found;
}

function show(card, { id, images: [image] }) {
  card.dataset.state = "finished";
  part(card, "progress").remove();
  setText(part(card, "facts"), `${image.width} × ${image.height} px`);
  setText(part(card, "words"), summary(image.faces));
  part(card, "picture").src = image.picture;
  part(card, "picture").alt = `${image.name} with its faces: ${summary(image.faces)}`;
  part(card, "open").href = image.picture;
  part(card, "save-picture").href = `${image.picture}?download`;
  part(card, "save-picture").download = "";
  part(card, "save-json").href = `${API}/${id}`;
  part(card, "save-json").download = `${image.name.replace(/\.[^.]*$/, "")}.json`;
  const rows = image.faces.map(faceRow);
  part(card, "faces").replaceChildren(...(rows.length ? rows : [none()]));
  part(card, "remove").onclick = () => remove(card, id);
  part(card, "body").hidden = false;
}

function summary(faces) {
  if (!faces.length) return "No faces found";
  const counts = VERDICTS.map((verdict) => [verdict, faces.filter((f) => f.verdict === verdict).length]);
  const words = counts.filter(([, n]) => n).map(([verdict, n]) => `${n} ${VERDICT_WORDS[verdict].toLowerCase()}`);
  return `${faces.length} ${faces.length === 1 ? "face" : "faces"}: ${words.join(", ")}`;
}

function faceRow(face, index) {
  const row = document.createElement("tr");
  const [left, top, right, bottom] = face.box.map(Math.round);
  const verdict = cell("", "nowrap");
  const mark = document.createElement("i");
  mark.className = `mark ${face.verdict}`;
  mark.setAttribute("aria-hidden", "true");
  verdict.append(mark, VERDICT_WORDS[face.verdict]);
  if (!Object.keys(face.probabilities).length) verdict.title = "Too small to judge";
  const sure = face.verdict === "unknown" ? "–" : `${Math.round(face.confidence * 100)} %`;
  row.append(cell(String(index + 1)), verdict, cell(sure, "number"),
    cell(`${Math.round(face.score * 100)} %`, "number"),
    cell(`${right - left} × ${bottom - top}`, "number"),
    cell(`${left}, ${top}, ${right}, ${bottom}`, "number"));
  return row;
}

function none() {
  const row = document.createElement("tr");
  const words = cell("None", "muted");
  words.colSpan = 6;
  row.append(words);
  return row;
}

function cell(words, className = "") {
  const element = document.createElement("td");
  element.textContent = words;
  element.className = className;
  return element;
}

function refuse(card, words) {
  card.dataset.state = "refused";
  part(card, "progress").remove();
  setText(part(card, "words"), words);
  part(card, "words").className = "wrong";
}

async function remove(card, id) {
  try {
    await call("DELETE", `${API}/${id}`);
  } catch {
    // Gone already, which is what was asked.
  }
  card.remove();
  chooser.focus();
}

takeFiles(chooser, drop, take);
document.onpaste = (event) => {
  if (event.clipboardData?.files.length) take(event.clipboardData.files);
};
