// Which cameras the wall shows, in what order and size: group, automatic grid, rotation.

import { fit } from "./wall_grid.js";
import { setText } from "./words.js";

const NO_GROUP = "No group";
const HEADING_PX = 40;
const SIZES = ["auto", "small", "medium", "large"];

export class WallView {
  // tiles: Map of camera id to Tile
  constructor(wall, bar, tiles, resized) {
    this.wall = wall;
    this.bar = bar;
    this.tiles = tiles;
    this.resized = resized;
    this.cameras = [];
    this.page = 0;
    this.turnedAt = performance.now();
    this.group = bar.querySelector("#group");
    this.rotate = bar.querySelector("#rotate");
    this.heading = document.getElementById("group-heading");
    this.headings = new Map();
    this.rotate.value = localStorage.getItem("wall-rotate") ?? "0";
    if (!this.rotate.value) this.rotate.value = "0";
    this.#chooseSize(localStorage.getItem("tile-size"));
    this.group.addEventListener("change", () => this.#keep("wall-group", this.group.value));
    this.rotate.addEventListener("change", () => this.#keep("wall-rotate", this.rotate.value));
    for (const input of bar.querySelectorAll('input[name="size"]')) {
      input.addEventListener("change", () => { this.#chooseSize(input.value); this.#keep("tile-size", input.value); });
    }
    new ResizeObserver(() => this.lay()).observe(wall.parentElement);
    window.addEventListener("resize", () => this.lay());
  }

  // The cameras there are, by name; the tiles exist already.
  show(cameras) {
    this.cameras = [...cameras].sort((a, b) => compare(a.group, b.group));
    this.#offerGroups([...new Set(this.cameras.map(({ group }) => group))]);
    this.lay();
  }

  // Call a few times a second: turns the page when its time has come and nobody is in it.
  tick() {
    const everyMs = Number(this.rotate.value) * 1000;
    if (!everyMs || performance.now() - this.turnedAt < everyMs) return;
    if (this.wall.matches(":hover") || this.wall.querySelector(":focus-visible")) return;
    this.page += 1;
    this.turnedAt = performance.now();
    this.lay();
  }

  lay() {
    const wanted = this.cameras.filter(({ group }) => this.group.value === "" || groupValue(group) === this.group.value);
    const rotating = this.rotate.value !== "0";
    const grouped = !rotating && this.group.value === "" && this.headings.size > 1;
    const top = this.wall.getBoundingClientRect().top + window.scrollY;
    const space = window.innerHeight - Math.min(top, window.innerHeight / 2) - 12 - (grouped ? HEADING_PX * this.headings.size : 0);
    const counts = grouped ? [...this.headings.keys()].map((name) => wanted.filter(({ group }) => group === name).length) : [wanted.length];
    const { columns, page } = fit(counts, this.wall.clientWidth, space);
    const template = rotating || this.size === "auto" ? `repeat(${columns}, minmax(0, 1fr))` : "";
    if (template !== this.wall.style.gridTemplateColumns) {
      this.wall.style.gridTemplateColumns = template;
      this.resized();
    }
    const pages = rotating ? Math.max(1, Math.ceil(wanted.length / page)) : 1;
    this.page %= pages;
    const first = rotating ? this.page * page : 0;
    this.#place(wanted.slice(first, rotating ? first + page : undefined), grouped);
    const words = this.bar.querySelector('[data-part="page"]');
    words.hidden = !rotating;
    setText(words, `Page ${this.page + 1} of ${pages}`);
  }

  // Shown tiles in order, under their headings; the others hidden, so that they cost nothing.
  #place(shown, grouped) {
    const order = [];
    let group = null;
    for (const camera of shown) {
      if (grouped && camera.group !== group) order.push(this.headings.get(camera.group));
      group = camera.group;
      order.push(this.tiles.get(camera.id).root);
    }
    const visible = new Set(order);
    for (const { root } of this.tiles.values()) root.hidden = !visible.has(root);
    for (const heading of this.headings.values()) heading.hidden = !visible.has(heading);
    order.forEach((root, place) => {
      if (this.wall.children[place] !== root) this.wall.insertBefore(root, this.wall.children[place] ?? null);
    });
    for (const { root } of this.tiles.values()) if (!root.isConnected) this.wall.append(root);
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
    this.wall.dataset.size = this.size;
    for (const input of this.bar.querySelectorAll('input[name="size"]')) input.checked = input.value === this.size;
  }

  #keep(name, value) {
    localStorage.setItem(name, value);
    this.page = 0;
    this.turnedAt = performance.now();
    this.lay();
  }
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
