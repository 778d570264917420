// Finds cameras by name, group and state, from any page: `/` goes to the field, arrows choose, Enter
// opens. The wall shows only what is found, as well.

import { call } from "./api.js";
import { at } from "./paths.js";
import { setText, STATE_WORDS } from "./words.js";

const SETTLE_MS = 120;
const MOST = 12;
const SLASH = String.fromCharCode(47); // the key, not a path

const input = document.getElementById("find");
const found = document.getElementById("found");
const listeners = [];
let settling = 0;
let asked = 0;

// Calls `listener` with the words each time they change.
export function onFind(listener) {
  listeners.push(listener);
}

// Whether each of the words is in a camera's name, group or state; as GET /cameras/found does.
export function matches({ name, group, status }, words) {
  const all = `${name} ${group} ${STATE_WORDS[status.state]}`.toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => all.includes(word));
}

async function look() {
  const number = (asked += 1);
  const words = input.value.trim();
  if (!words) return close();
  let cameras;
  try {
    ({ cameras } = await call("GET", at(`/api/v1/cameras/found?${new URLSearchParams({ q: words, limit: MOST })}`)));
  } catch (error) {
    if (number === asked) show([line(error.message)]);
    return;
  }
  if (number !== asked || document.activeElement !== input) return;
  show(cameras.length ? cameras.map(option) : [line("No camera has these words in its name, group or state")]);
}

function option({ id, name, group, state }, number) {
  const item = line(name);
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", "false");
  item.id = `found-${number}`;
  item.dataset.href = at(`/cameras/${id}`);
  const more = document.createElement("small");
  setText(more, [group, STATE_WORDS[state]].filter(Boolean).join(", "));
  item.append(" ", more);
  return item;
}

function line(words) {
  const item = document.createElement("li");
  item.setAttribute("role", "option");
  item.setAttribute("aria-disabled", "true");
  setText(item, words);
  return item;
}

function show(items) {
  for (const item of items) if (item.dataset.href) item.removeAttribute("aria-disabled");
  found.replaceChildren(...items);
  found.hidden = false;
  input.setAttribute("aria-expanded", "true");
  input.removeAttribute("aria-activedescendant");
}

function close() {
  found.hidden = true;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

function choose(by) {
  const items = [...found.querySelectorAll("[data-href]")];
  if (found.hidden || !items.length) return;
  const before = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
  const next = (before + by + items.length + (before < 0 && by < 0 ? 1 : 0)) % items.length;
  items.forEach((item, number) => item.setAttribute("aria-selected", String(number === next)));
  input.setAttribute("aria-activedescendant", items[next].id);
  items[next].scrollIntoView({ block: "nearest" });
}

function open() {
  const chosen = found.querySelector('[aria-selected="true"]') ?? found.querySelector("[data-href]");
  if (!found.hidden && chosen) location.href = chosen.dataset.href;
}

const KEYS = {
  ArrowDown: () => choose(1),
  ArrowUp: () => choose(-1),
  Enter: open,
  Escape: () => { if (found.hidden) input.value = ""; close(); tell(); },
};

function tell() {
  for (const listener of listeners) listener(input.value.trim());
}

input.addEventListener("input", () => {
  clearTimeout(settling);
  settling = setTimeout(() => { tell(); look(); }, SETTLE_MS);
});
input.addEventListener("keydown", (event) => {
  if (!KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});
input.addEventListener("blur", () => setTimeout(close, SETTLE_MS));
found.addEventListener("pointerdown", (event) => {
  const item = event.target.closest("[data-href]");
  event.preventDefault();
  if (item) location.href = item.dataset.href;
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, textarea, [contenteditable]");
  if (event.key !== SLASH || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  input.focus();
  input.select();
});
