// Which cameras the wall shows, in what order and size: group, state, words, grid, rotation.
// Only tiles near what is in sight exist in the page, however many cameras there are.

import { between, fill, fit, GAP, pageOf, rowsOf, tileHeight } from "./wall_grid.js";
import { matches } from "./find.js";
import { setText } from "./words.js";

const NO_GROUP = "No group";
const HEADING_PX = 30;
const SIZES = ["auto", "small", "medium", "large"];
const GONE_AFTER_S = 60; // a camera that was away for so long comes after those that are there
const AHEAD_MS = 2500; // so long before a page turns, its pictures are asked for
const AROUND_PX = 60; // no tile is around its picture lower than that

export class WallView {
  // tiles: Map of camera id to Tile, of those that exist; handlers: build(camera) makes one,
  // drop(id) removes it, sight(ids) says which are in sight, shown(cameras) which are chosen.
  constructor(wall, bar, tiles, handlers) {
    this.wall = wall;
    this.bar = bar;
    this.tiles = tiles;
    this.handlers = handlers;
    this.cameras = [];
    this.page = 0;
    this.turnedAt = performance.now();
    this.around = AROUND_PX;
    this.words = "";
    this.group = bar.querySelector("#group");
    this.state = bar.querySelector("#state");
    this.rotate = bar.querySelector("#rotate");
    this.heading = document.getElementById("group-heading");
    this.headings = new Map();
    this.rotate.value = localStorage.getItem("wall-rotate") ?? "0";
    if (!this.rotate.value) this.rotate.value = "0";
    this.#chooseSize(localStorage.getItem("tile-size"));
    this.group.addEventListener("change", () => this.#keep("wall-group", this.group.value));
    this.state.addEventListener("change", () => this.lay());
    this.rotate.addEventListener("change", () => this.#keep("wall-rotate", this.rotate.value));
    for (const input of bar.querySelectorAll('input[name="size"]')) {
      input.addEventListener("change", () => { this.#chooseSize(input.value); this.#keep("tile-size", input.value); });
    }
    this.off = document.getElementById("off");
    this.off.addEventListener("toggle", () => this.#listOff());
    const soon = () => { this.frame ??= requestAnimationFrame(() => { this.frame = null; this.lay(); }); };
    new ResizeObserver(() => { this.around = AROUND_PX; soon(); }).observe(wall.parentElement);
    window.addEventListener("resize", soon);
    document.addEventListener("scroll", soon, { capture: true, passive: true });
  }

  // The cameras there are, by name.
  show(cameras) {
    const nowS = Date.now() / 1000;
    const rank = ({ status }) => (status.state === "offline" && nowS - status.since_s > GONE_AFTER_S ? 1 : 0);
    this.cameras = [...cameras].sort((a, b) => compare(a.group, b.group) || rank(a) - rank(b));
    this.#offerGroups([...new Set(this.cameras.map(({ group }) => group))]);
    this.lay();
  }

  // Words of a search: cameras without them are not shown.
  search(words) {
    this.words = words;
    this.page = 0;
    this.lay();
  }

  // Call a few times a second: turns the page when its time has come and nobody is in it.
  tick() {
    const everyMs = Number(this.rotate.value) * 1000;
    if (!everyMs) return;
    const leftMs = everyMs - (performance.now() - this.turnedAt);
    if (leftMs < AHEAD_MS && !this.ahead) { this.ahead = true; this.lay(); }
    if (leftMs > 0 || this.wall.matches(":hover") || this.wall.querySelector(":focus-visible")) return;
    this.page += 1;
    this.ahead = false;
    this.turnedAt = performance.now();
    this.lay();
  }

  lay() {
    const wanted = this.cameras.filter((camera) => this.#wants(camera));
    const on = wanted.filter(({ enabled }) => enabled);
    this.#fold(wanted.filter(({ enabled }) => !enabled), on.length === 0);
    const rotating = this.rotate.value !== "0";
    const groups = [...new Set(on.map(({ group }) => group))];
    const grouped = !rotating && groups.length > 1;
    const sections = grouped ? groups.map((heading) => ({ heading, items: on.filter(({ group }) => group === heading) })) : [{ items: on }];
    const space = this.#space() - (grouped ? (HEADING_PX + GAP) * groups.length : 0);
    const counts = sections.map(({ items }) => items.length);
    const width = this.wall.clientWidth;
    const chosen = rotating ? pageOf(on.length, width, space, this.around)
      : this.size === "auto" ? fit(counts, width, space, this.around) : fill(this.size, width);
    const ahead = rotating ? this.#turn(sections, on, chosen.page) : [];
    const rowPx = tileHeight(chosen.tile, this.around);
    this.wall.style.setProperty("--row", `${rowPx}px`);
    this.#place(rowsOf(sections, chosen.columns, rowPx, HEADING_PX), chosen, ahead, on.length);
    this.handlers.shown(wanted, this.cameras.length);
    this.#measure(chosen);
  }

  // One page instead of all; returns the cameras of the next one when it is about to come.
  #turn(sections, on, page) {
    const pages = Math.max(1, Math.ceil(on.length / page));
    this.page %= pages;
    const of = (number) => on.slice(number * page, (number + 1) * page);
    sections[0].items = of(this.page);
    setText(this.bar.querySelector('[data-part="page"]'), `Page ${this.page + 1} of ${pages}`);
    return this.ahead && pages > 1 ? of((this.page + 1) % pages) : [];
  }

  #wants(camera) {
    if (this.group.value !== "" && groupValue(camera.group) !== this.group.value) return false;
    if (this.state.value === "live" && (camera.status.state !== "live" || camera.reason)) return false;
    if (this.state.value === "trouble" && !inTrouble(camera)) return false;
    if (this.state.value === "off" && camera.enabled) return false;
    return matches(camera, this.words);
  }

  #space() {
    const top = this.wall.offsetTop;
    const below = this.off.hidden ? 12 : this.off.querySelector("summary").offsetHeight + 24;
    return window.innerHeight - Math.min(top, window.innerHeight / 2) - below;
  }

  // Rows near what is in sight become tiles; the room of all others is kept free.
  #place(rows, { columns, tile }, ahead, count) {
    const top = -this.wall.getBoundingClientRect().top;
    const high = window.innerHeight;
    const near = between(rows, top - high, top + 2 * high);
    const [first, last, end] = [near[0], near.at(-1), rows.at(-1)];
    this.wall.style.paddingTop = `${first ? first.y : 0}px`;
    this.wall.style.paddingBottom = `${last ? end.y + end.height - last.y - last.height : 0}px`;
    this.wall.style.gridTemplateColumns = `repeat(${columns}, ${Math.floor(tile * 100) / 100}px)`;
    this.bar.querySelector('[data-part="page"]').hidden = this.rotate.value === "0";
    const order = near.flatMap(({ heading, items }) => (heading === undefined ? items : [heading]));
    this.#put(order.map((item) => (typeof item === "string" ? this.headings.get(item) : this.#tile(item).root)), ahead);
    const place = new Map(rows.flatMap(({ items }) => items).map(({ id }, number) => [id, number + 1]));
    for (const [id, { root }] of this.tiles) {
      root.setAttribute("aria-posinset", place.get(id) ?? 1);
      root.setAttribute("aria-setsize", count);
    }
    const sight = between(near, top - 80, top + high + 80).flatMap(({ items }) => items.map(({ id }) => id));
    this.handlers.sight([...sight, ...ahead.map(({ id }) => id)]);
  }

  #put(order, ahead) {
    const hidden = ahead.map((camera) => this.#tile(camera).root).filter((root) => !order.includes(root));
    const kept = new Set([...order, ...hidden]);
    for (const [id, { root }] of [...this.tiles]) if (!kept.has(root)) this.handlers.drop(id);
    for (const heading of this.headings.values()) if (!kept.has(heading)) heading.remove();
    [...order, ...hidden].forEach((root, number) => {
      root.hidden = number >= order.length;
      if (this.wall.children[number] !== root) this.wall.insertBefore(root, this.wall.children[number] ?? null);
    });
  }

  #tile(camera) {
    const tile = this.tiles.get(camera.id) ?? this.handlers.build(camera);
    if (tile.camera !== camera) tile.update(camera);
    return tile;
  }

  // What is around a picture is as high as the highest of the tiles needs, so that no row moves.
  #measure({ tile }) {
    let highest = 0;
    for (const { root } of this.tiles.values()) if (!root.hidden) highest = Math.max(highest, root.firstElementChild.offsetHeight + 2);
    const around = Math.ceil(highest - tile * 9 / 16);
    if (around <= this.around) return;
    this.around = around;
    this.lay();
  }

  // Cameras that are switched off: counted, and listed when somebody asks.
  #fold(off, open) {
    this.offCameras = off;
    this.off.hidden = !off.length;
    const words = `${off.length} ${off.length === 1 ? "camera is" : "cameras are"} switched off`;
    setText(this.off.querySelector("summary"), words);
    if (open && off.length && !this.opened) { this.opened = true; this.off.open = true; }
    this.#listOff();
  }

  #listOff() {
    if (!this.off.open) return;
    const key = this.offCameras.map(({ id, name }) => `${id}${name}`).join();
    if (key === this.offListed) return;
    this.offListed = key;
    this.handlers.list(this.off.querySelector("ul"), this.offCameras);
  }

  #offerGroups(groups) {
    const key = JSON.stringify(groups);
    if (key === this.offered) return;
    this.offered = key;
    const chosen = this.group.value || localStorage.getItem("wall-group") || "";
    this.group.replaceChildren(option("", "All"), ...groups.map((group) => option(groupValue(group), group || NO_GROUP)));
    this.group.value = groups.some((group) => groupValue(group) === chosen) ? chosen : "";
    this.bar.querySelector("#group-choice").hidden = groups.length < 2;
    for (const heading of this.headings.values()) heading.remove();
    this.headings = new Map(groups.map((group) => [group, this.#makeHeading(group || NO_GROUP)]));
  }

  #makeHeading(words) {
    const heading = this.heading.content.firstElementChild.cloneNode(true);
    heading.querySelector("h2").textContent = words;
    return heading;
  }

  #chooseSize(size) {
    this.size = SIZES.includes(size) ? size : "auto";
    this.around = AROUND_PX;
    for (const input of this.bar.querySelectorAll('input[name="size"]')) input.checked = input.value === this.size;
  }

  #keep(name, value) {
    localStorage.setItem(name, value);
    this.page = 0;
    this.ahead = false;
    this.turnedAt = performance.now();
    this.lay();
  }
}

// Whether somebody should look: no picture, one that is not reliable, or an alert.
export function inTrouble({ enabled, reason, quality, alerts }) {
  return enabled && Boolean(reason || quality.problems.length || alerts.length);
}

function compare(one, other) {
  if (!one !== !other) return one ? -1 : 1; // those without a group come last
  return one.localeCompare(other, "en", { numeric: true });
}

// "" stands for all, so a group needs a value that is never empty.
function groupValue(group) {
  return `group:${group}`;
}

function option(value, words) {
  const made = document.createElement("option");
  made.value = value;
  made.textContent = words;
  return made;
}
