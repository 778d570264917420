// The wall: a tile for every camera, pictures for those in sight.

import { ServerClock } from "./clock.js";
import { Connection } from "./connection.js";
import { at } from "./paths.js";
import { Tile } from "./tile.js";
import { WallView } from "./wall_view.js";
import { setCounts, setText, STATE_WORDS, VERDICTS } from "./words.js";

const TICK_MS = 200;
const SETTLE_MS = 250; // scrolling passes many tiles
const LOST = "Cannot reach the dashboard. Trying again…";

const wall = document.getElementById("wall");
const summary = document.getElementById("summary");
const empty = document.getElementById("empty");
const template = document.getElementById("tile");
const full = document.getElementById("full");
const link = document.querySelector('[data-part="connection"]');

const clock = new ServerClock();
const tiles = new Map();
const inSight = new Set();
const view = new WallView(wall, summary, tiles, () => subscribeSoon());
let settling = 0;

const connection = new Connection({
  picture: (head, body) => tiles.get(head.camera)?.show(head, body),
  state: (head) => {
    clock.heard(head.sent_at_s);
    say("connected", "Connected");
    arrange(head.cameras);
    summarise(head.cameras);
  },
  trouble: (detail) => mark("trouble", detail),
  lost: () => { clock.reset(); mark("lost", LOST); },
  opened: () => clock.reset(),
});

const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) inSight.add(target.dataset.camera);
    else inSight.delete(target.dataset.camera);
  }
  subscribeSoon();
}, { rootMargin: "80px" });

function arrange(cameras) {
  const ids = new Set(cameras.map((camera) => camera.id));
  for (const [id, tile] of tiles) if (!ids.has(id)) drop(id, tile);
  for (const camera of cameras) (tiles.get(camera.id) ?? build(camera)).update(camera);
  view.show(cameras);
  empty.hidden = cameras.length > 0;
  summary.hidden = cameras.length === 0;
}

function build(camera) {
  const root = template.content.firstElementChild.cloneNode(true);
  root.querySelector('[data-part="link"]').href = at(`/cameras/${camera.id}`);
  const tile = new Tile(root, camera.id);
  tiles.set(camera.id, tile);
  sight.observe(root);
  return tile;
}

function drop(id, tile) {
  sight.unobserve(tile.root);
  tile.root.remove();
  tiles.delete(id);
  inSight.delete(id);
  subscribeSoon();
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
  return [...inSight].filter((id) => tiles.get(id)?.[is]());
}

function summarise(cameras) {
  const states = Object.entries({ ...STATE_WORDS, silent: "No picture" })
    .map(([state, words]) => [cameras.filter((camera) => shown(camera) === state).length, words])
    .filter(([count]) => count)
    .map(([count, words]) => `${count} ${words.toLowerCase()}`);
  const noun = cameras.length === 1 ? "camera" : "cameras";
  setText(summary.querySelector('[data-part="states"]'),
    `${cameras.length} ${noun}: ${states.join(", ")}`);
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
