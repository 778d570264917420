// Uploads a recording, shows its progress, and follows the state of all own recordings.

import { call, csrfToken } from "./api.js";
import { takeFiles } from "./drop_zone.js";
import { at } from "./paths.js";
import { cell, emptyRow, row } from "./rows.js";
import { setText } from "./words.js";

const API = at("/api/v1/recordings");
const LOOK_MS = 1000;
const STATES = {
  uploading: "Uploading", queued: "Waiting", running: "Analysing", finished: "Finished", failed: "Failed",
};

const element = (id) => document.getElementById(id);
const [chooser, drop, message] = ["file", "drop", "message"].map(element);
const body = document.querySelector("#recordings tbody");
let sending = false;

function take(file) {
  if (!file || sending) return;
  message.hidden = true;
  const most = Number(chooser.dataset.megabytes);
  if (file.size > most * 2 ** 20) {
    complain(`${file.name} has ${Math.ceil(file.size / 2 ** 20)} MB. The limit is ${most} MB.`);
    return;
  }
  send(file);
}

// XMLHttpRequest: fetch does not tell how much was sent.
function send(file) {
  const request = new XMLHttpRequest();
  sending = chooser.disabled = true;
  element("uploading").hidden = false;
  setText(element("words"), `Uploading ${file.name}`);
  element("sent").value = 0;
  request.upload.onprogress = ({ loaded, total }) => { element("sent").value = loaded / total; };
  request.onloadend = () => {
    sending = chooser.disabled = false;
    element("uploading").hidden = true;
    if (request.status !== 202) complain(reason(request));
    look();
  };
  request.open("POST", `${API}?name=${encodeURIComponent(file.name)}`);
  request.setRequestHeader("X-CSRFToken", csrfToken);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.send(file);
}

function reason(request) {
  try {
    return JSON.parse(request.responseText).detail;
  } catch {
    return request.status ? `The dashboard answered ${request.status}.` : "Cannot reach the dashboard.";
  }
}

function complain(words) {
  message.textContent = words;
  message.hidden = false;
}

async function look() {
  if (document.hidden) return;
  try {
    const { recordings } = await call("GET", API);
    const focused = document.activeElement?.dataset.id;
    const rows = recordings.map(recordingRow);
    body.replaceChildren(...(rows.length ? rows : [emptyRow("No recordings yet", 4)]));
    if (focused) body.querySelector(`[data-id="${focused}"]`)?.focus();
  } catch (error) {
    complain(error.message);
  }
}

function recordingRow(recording) {
  const { id, name, state, progress, error } = recording;
  const title = cell("");
  if (state === "finished") {
    const link = document.createElement("a");
    link.href = at(`/try/recordings/${id}`);
    link.textContent = name;
    link.dataset.id = `open-${id}`;
    title.append(link);
  } else {
    title.textContent = name;
  }
  const done = document.createElement("progress");
  done.value = progress;
  done.setAttribute("aria-label", `Progress of ${name}`);
  const share = cell("");
  share.append(done, ` ${Math.round(progress * 100)} %`);
  const remove = document.createElement("a");
  remove.className = "button";
  remove.href = at(`/try/recordings/${id}/remove`);
  remove.textContent = "Remove…";
  remove.dataset.id = id;
  remove.setAttribute("aria-label", `Remove ${name}`);
  const last = cell("", "row-actions");
  last.append(remove);
  const found = row(title, stateCell(recording), share, last);
  found.dataset.state = state;
  return found;
}

// "Finished" leads to what was found.
function stateCell({ id, state, error }) {
  const made = cell(error ? `Failed: ${error}` : state === "finished" ? "" : STATES[state], error ? "wrong" : "");
  if (state === "finished") {
    const link = document.createElement("a");
    link.href = at(`/try/recordings/${id}`);
    setText(link, "Finished: show the result");
    made.append(link);
  }
  return made;
}

takeFiles(chooser, drop, ([file]) => take(file));
setInterval(look, LOOK_MS);
look();
