// The add and edit form, with a test of the connection.

import { call } from "./api.js";
import { at } from "./paths.js";
import { probe } from "./probe.js";

const form = document.getElementById("form");
const message = document.getElementById("message");
const again = document.getElementById("again");
const id = form.dataset.camera;
const CHANGED = "Somebody else changed this camera after you opened this page, so your changes were not saved. "
  + "Reload to see the saved values. Your entries on this page will be lost.";
const NUMBERS = ["analysis_fps", "jpeg_quality", "max_width"];
const PICTURE = ["rotate", "aspect", "stream"];

function values() {
  const given = { enabled: form.enabled.checked };
  for (const name of ["name", "source", "group"]) given[name] = form[name].value;
  for (const name of NUMBERS) if (form[name].value !== "") given[name] = Number(form[name].value);
  given.detector = form.detector.value || null;
  given.detector_width = form.detector_width.value || null;
  return { ...given, ...pictureOptions() };
}

function pictureOptions() {
  return { rotate: Number(form.rotate.value), aspect: form.aspect.value, stream: Number(form.stream.value) };
}

function complain(words) {
  message.textContent = words;
  message.hidden = !words;
  for (const name of ["name", "source", "group", ...NUMBERS, ...PICTURE]) {
    const wrong = words.startsWith(`${name}:`) || words.includes(`; ${name}:`);
    form[name].toggleAttribute("aria-invalid", wrong);
    if (wrong) form[name].setAttribute("aria-invalid", "true");
  }
}

function missing() {
  if (!form.source.value.trim()) return "source: the camera's address is missing";
  return "";
}

form.onsubmit = async (event) => {
  event.preventDefault();
  const gap = (form.name.value.trim() ? "" : "name: give the camera a name") || missing();
  complain(gap);
  if (gap) return;
  const save = document.getElementById("save");
  save.disabled = true;
  try {
    const saved = id
      ? await call("PATCH", at(`/api/v1/cameras/${id}`), values(), form.dataset.version)
      : await call("POST", at("/api/v1/cameras"), values());
    location.href = at(`/cameras/${saved.id}`);
  } catch (error) {
    complain(error.kind === "camera_changed" ? CHANGED : error.message);
    again.hidden = error.kind !== "camera_changed";
    save.disabled = again.hidden === false;
  }
};

again.onclick = () => location.reload();

document.getElementById("test").onclick = async (event) => {
  complain(missing());
  if (missing()) return;
  const button = event.currentTarget;
  button.disabled = true;
  const asked = { source: form.source.value, ...pictureOptions() };
  if (id) asked.camera_id = id;
  await probe(asked, Number(form.max_width.value));
  button.disabled = false;
};
