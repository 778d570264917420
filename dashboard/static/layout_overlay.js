// The drawing surface over the picture: shapes, their points, and the one being drawn.
// Pointer: click sets a point, double click finishes, points are dragged. Keyboard: arrows move
// the cross, Space sets a point, Enter finishes, Backspace takes back, Escape cancels.

import { clamp, KINDS, MOST_POINTS, move, wayIn } from "./layout_draft.js";
import { svg } from "./svg.js";

const STEP = 0.01;
const LEAP = 0.05;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class LayoutOverlay {
  // handlers: finished(kind, points), changed(), said(words)
  constructor(root, canvas, handlers) {
    this.root = root;
    this.canvas = canvas;
    this.handlers = handlers;
    this.draft = null;
    this.drawing = null;
    this.cross = [0.5, 0.5];
    if (!root) return; // who may only look
    root.addEventListener("pointerdown", (event) => this.#press(event));
    root.addEventListener("pointermove", (event) => this.#drag(event));
    root.addEventListener("pointerup", () => { this.dragged = null; });
    root.addEventListener("dblclick", () => this.finish());
    root.addEventListener("keydown", (event) => this.#key(event));
  }

  open(draft) {
    this.draft = draft;
    this.root.hidden = false;
    this.draw();
  }

  close() {
    this.draft = null;
    this.drawing = null;
    this.root.hidden = true;
  }

  begin(kind) {
    this.drawing = { kind, points: [] };
    this.root.focus();
    this.handlers.said(`${KINDS[kind].words}: click on the picture, or move the cross with the arrow keys and press Space.`);
    this.draw();
  }

  // Before anything else begins: keeps a shape that has enough points. Returns false, and says
  // why, if points would be lost.
  settle() {
    return !this.drawing?.points.length || this.finish();
  }

  // Keep the shape that is being drawn, if it is one; returns whether it was.
  finish() {
    if (!this.drawing) return false;
    const { kind, points } = this.drawing;
    const { words, least } = KINDS[kind];
    if (points.length < least) {
      this.handlers.said(`${words}: needs at least ${least} points; it has ${points.length}. Set more, or press Escape to drop it.`);
      this.root.focus();
      return false;
    }
    this.drawing = null;
    this.handlers.finished(kind, points);
    return true;
  }

  cancel() {
    this.drawing = null;
    this.handlers.said("Cancelled.");
    this.draw();
  }

  draw() {
    if (!this.draft) return;
    const focused = this.root.contains(document.activeElement) ? document.activeElement.dataset?.point : null;
    const width = this.canvas.width > 2 ? this.canvas.width : 1600;
    const height = this.canvas.width > 2 ? this.canvas.height : 900;
    this.size = [width, height];
    const shapes = this.draft.shapes.flatMap((shape, place) => this.#shape(shape, place));
    this.picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "xMidYMid meet" },
      ...shapes, ...(this.drawing ? this.#unfinished() : []));
    this.root.replaceChildren(this.picture);
    if (focused) this.root.querySelector(`[data-point="${focused}"]`)?.focus();
  }

  #shape(shape, place) {
    const pixels = shape.points.map((point) => this.#pixels(point));
    const title = this.draft.title(shape);
    const parts = [svg(shape.kind === "line" ? "polyline" : "polygon", {
      class: `shape ${shape.kind}`, points: pixels.join(" "),
    })];
    if (shape.kind === "line") parts.push(...this.#arrow(pixels));
    parts.push(this.#words(title, pixels[0]));
    return [...parts, ...pixels.map(([x, y], index) => svg("circle", {
      class: "handle", cx: x, cy: y, r: this.#unit(7), tabindex: 0, role: "button",
      "data-point": `${place}-${index}`,
      "aria-label": `${title}, point ${index + 1}: arrow keys move it`,
    }))];
  }

  #arrow(pixels) {
    const { foot, tip } = wayIn(pixels, this.size[0] / 25);
    const [dx, dy] = [(tip[0] - foot[0]) / 4, (tip[1] - foot[1]) / 4];
    const barb = (side) => [tip[0] - dx - side * dy, tip[1] - dy + side * dx];
    return [svg("path", { class: "arrow", d: `M${foot}L${tip}M${barb(1)}L${tip}L${barb(-1)}` }),
      this.#words("in", [tip[0] + dx, tip[1] + dy])];
  }

  #unfinished() {
    const { kind, points } = this.drawing;
    const pixels = points.map((point) => this.#pixels(point));
    const [x, y] = this.#pixels(this.cross);
    const arm = this.#unit(12);
    return [svg("polyline", { class: `shape ${kind} unfinished`, points: [...pixels, [x, y]].join(" ") }),
      ...pixels.map(([cx, cy]) => svg("circle", { class: "handle set", cx, cy, r: this.#unit(4) })),
      ...(kind === "line" && points.length > 1 ? this.#arrow(pixels) : []),
      svg("path", { class: "cross", d: `M${x - arm} ${y}H${x + arm}M${x} ${y - arm}V${y + arm}` })];
  }

  #words(words, [x, y]) {
    const size = { "font-size": this.#unit(14), "stroke-width": this.#unit(3) };
    return svg("text", { class: "shape-name", x: x + this.#unit(8), y: y - this.#unit(6), ...size }, words);
  }

  #pixels([x, y]) {
    return [x * this.size[0], y * this.size[1]];
  }

  // So many pixels of the screen, in pixels of the picture.
  #unit(screenPx) {
    const shown = Math.min(this.root.clientWidth / this.size[0], this.root.clientHeight / this.size[1]);
    return screenPx / (shown || 1);
  }

  #place(event) {
    const matrix = this.picture.getScreenCTM().inverse();
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
    return [clamp(x / this.size[0]), clamp(y / this.size[1])];
  }

  #press(event) {
    if (this.drawing) {
      // The second press of a double click is where the first was: it finishes, and adds nothing.
      if (event.detail < 2) this.#set(this.#place(event));
    } else if (event.target.dataset.point) {
      this.dragged = this.#handle(event.target);
      this.root.setPointerCapture(event.pointerId);
    }
  }

  #drag(event) {
    if (this.drawing) {
      this.cross = this.#place(event);
      this.draw();
    } else if (this.dragged) {
      const { shape, index } = this.dragged;
      shape.points[index] = this.#place(event);
      this.draw();
      this.handlers.changed();
    }
  }

  #set(point) {
    if (this.drawing.points.length >= MOST_POINTS) return;
    this.cross = point;
    this.drawing.points.push(point);
    this.handlers.said(`Point ${this.drawing.points.length} at ${point.map((share) => `${Math.round(share * 100)} %`).join(", ")}.`);
    this.draw();
  }

  #handle(element) {
    const [place, index] = element.dataset.point.split("-").map(Number);
    return { shape: this.draft.shapes[place], index };
  }

  #key(event) {
    const arrow = ARROWS[event.key];
    const by = event.shiftKey ? LEAP : STEP;
    const acts = { " ": () => this.#set(this.cross), Enter: () => this.finish(), Escape: () => this.cancel(), Backspace: () => this.drawing.points.pop() };
    if (this.drawing && arrow) this.cross = this.cross.map((share, axis) => clamp(share + arrow[axis] * by));
    else if (this.drawing && acts[event.key]) acts[event.key]();
    else if (arrow && event.target.dataset.point) {
      const { shape, index } = this.#handle(event.target);
      move(shape.points, index, arrow[0] * by, arrow[1] * by);
      this.handlers.changed();
    } else return;
    event.preventDefault();
    this.draw();
  }
}
