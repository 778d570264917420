// The wall: tiles of the cameras that are near what is in sight, and pictures for those in it.

import { ServerClock } from "./clock.js";
import { Connection } from "./connection.js";
import { onFind } from "./find.js";
import { at } from "./paths.js";
import { Tile } from "./tile.js";
import { WallView } from "./wall_view.js";
import { setCounts, setText, STATE_WORDS, VERDICTS } from "./words.js";

const TICK_MS = 200;
const SETTLE_MS = 250; // scrolling passes many tiles
const MOST_LISTED = 200;
const LOST = "Cannot reach the dashboard. Trying again…";

const wall = document.getElementById("wall");
const summary = document.getElementById("summary");
const empty = document.getElementById("empty");
const template = document.getElementById("tile");
const full = document.getElementById("full");
const link = document.querySelector('[data-part="connection"]');

const clock = new ServerClock();
const tiles = new Map();
let asked = "";
const nothing = document.getElementById("nothing");
let inSight = [];
let settling = 0;
const view = new WallView(wall, summary, tiles, { build, drop, list, sight: see, shown: summarise });
onFind((words) => view.search(words));

const connection = new Connection({
  picture: (head, body) => tiles.get(head.camera)?.show(head, body),
  state: (head) => {
    clock.heard(head.sent_at_s);
    say("connected", "Connected");
    arrange(head.cameras);
  },
  trouble: (detail) => mark("trouble", detail),
  lost: () => { clock.reset(); mark("lost", LOST); },
  opened: () => clock.reset(),
});

function arrange(cameras) {
  summary.hidden = cameras.length === 0;
  empty.hidden = cameras.length > 0;
  view.show(cameras);
}

function see(ids) {
  const sizes = ids.map((id) => `${id}${tiles.get(id)?.isLarge()}${tiles.get(id)?.isTiny()}`).sort().join();
  if (sizes === asked) return;
  asked = sizes;
  inSight = ids;
  subscribeSoon();
}

function build(camera) {
  const root = template.content.firstElementChild.cloneNode(true);
  root.querySelector('[data-part="link"]').href = at(`/cameras/${camera.id}`);
  const tile = new Tile(root, camera.id);
  tiles.set(camera.id, tile);
  return tile;
}

function drop(id) {
  tiles.get(id).root.remove();
  tiles.delete(id);
}

// Names of cameras as links, the first of them.
function list(root, cameras) {
  const items = cameras.slice(0, MOST_LISTED).map(({ id, name, group }) => {
    const [item, link] = [document.createElement("li"), document.createElement("a")];
    link.href = at(`/cameras/${id}`);
    setText(link, name);
    item.append(link, group ? ` ${group}` : "");
    return item;
  });
  if (cameras.length > MOST_LISTED) {
    items.push(document.createElement("li"));
    setText(items.at(-1), `and ${cameras.length - MOST_LISTED} more: search for a name or a group`);
  }
  root.replaceChildren(...items);
}

function subscribeSoon() {
  clearTimeout(settling);
  settling = setTimeout(subscribe, SETTLE_MS);
}

function subscribe() {
  if (document.hidden) connection.close();
  else connection.watch(inSight, inSightThat("isLarge"), inSightThat("isTiny"));
}

function inSightThat(is) {
  return inSight.filter((id) => tiles.get(id)?.[is]());
}

// The sums are those of the cameras that group, state and search leave.
function summarise(cameras, all) {
  nothing.hidden = cameras.length > 0 || all === 0;
  const states = Object.entries({ ...STATE_WORDS, silent: "No picture" })
    .map(([state, words]) => [cameras.filter((camera) => shown(camera) === state).length, words])
    .filter(([count]) => count)
    .map(([count, words]) => `${count} ${words.toLowerCase()}`);
  const noun = all === 1 ? "camera" : "cameras";
  setText(summary.querySelector('[data-part="states"]'),
    `${cameras.length}${cameras.length < all ? ` of ${all}` : ""} ${noun}${states.length ? `: ${states.join(", ")}` : ""}`);
  for (const kind of ["faces", "people"]) {
    const sum = (verdict) => cameras.reduce((total, camera) => total + camera[kind][verdict], 0);
    setCounts(summary.querySelector(`[data-part="${kind}"]`),
      Object.fromEntries(VERDICTS.map((verdict) => [verdict, sum(verdict)])));
  }
}

// A camera that is connected but not analysed counts as what its tile says.
function shown({ status, reason }) {
  return status.state === "live" && reason ? "silent" : status.state;
}

function mark(state, words) {
  say(state, state === "lost" ? "Connection lost" : words);
  const headline = state === "trouble" ? "State unknown" : undefined;
  for (const tile of tiles.values()) tile.markLost(words, headline);
  setText(summary.querySelector('[data-part="states"]'), tiles.size ? `${tiles.size} cameras, states unknown` : "States unknown");
  setCounts(summary.querySelector('[data-part="faces"]'), null);
}

function say(state, words) {
  link.dataset.link = state;
  setText(link, words);
}

full.addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.querySelector("main").requestFullscreen();
});
document.addEventListener("fullscreenchange", () => {
  const on = Boolean(document.fullscreenElement);
  full.setAttribute("aria-pressed", on);
  setText(full, on ? "Exit full screen" : "Full screen");
});
full.hidden = !document.fullscreenEnabled;

document.addEventListener("visibilitychange", subscribe);
setInterval(() => {
  for (const tile of tiles.values()) tile.tick(clock.now());
  view.tick();
}, TICK_MS);
subscribe();
