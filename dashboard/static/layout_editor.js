// Lines, zones and ignored areas of a camera: listed for all, drawn and saved by operators.

import { call } from "./api.js";
import { KINDS, LayoutDraft } from "./layout_draft.js";
import { LayoutOverlay } from "./layout_overlay.js";
import { setText } from "./words.js";

export class LayoutEditor {
  // root: has the picture with its tools, and the list of shapes.
  constructor(root, overlay, canvas, api) {
    this.root = root;
    this.api = api;
    this.draft = null;
    this.shown = "";
    this.list = root.querySelector('[data-part="shapes"]');
    this.overlay = new LayoutOverlay(overlay, canvas, {
      finished: (kind, points) => this.#finished(kind, points),
      changed: () => this.#say("Not saved yet."),
      said: (words) => this.#say(words),
    });
    this.#on("draw", () => this.#open());
    this.#on("save", () => this.overlay.settle() && this.#save());
    this.#on("cancel", () => this.#leave());
    this.#on("finish", () => this.overlay.finish());
    for (const kind of Object.keys(KINDS)) this.#on(kind, () => this.overlay.settle() && this.overlay.begin(kind));
    window.addEventListener("beforeunload", (event) => { if (this.#unsaved()) event.preventDefault(); });
    new ResizeObserver(() => this.overlay.draw()).observe(canvas);
  }

  // What the server says of the camera; kept away from what is being drawn.
  update(camera) {
    this.camera = camera;
    const now = JSON.stringify([camera.lines, camera.zones, camera.ignored]);
    if (this.draft || now === this.shown) return;
    this.shown = now;
    this.#showList(new LayoutDraft(camera), false);
  }

  #open() {
    if (!this.camera) return;
    this.draft = new LayoutDraft(this.camera);
    this.root.dataset.mode = "draw";
    this.overlay.open(this.draft);
    this.#showList(this.draft, true);
    this.#say("Choose what to draw, or move the points of a shape.");
    document.getElementById("drawing-tools").scrollIntoView({ block: "nearest" });
  }

  // Cancel: at once while there is nothing to lose, else at the second press.
  #leave() {
    const button = this.#button("cancel");
    if (this.#unsaved() && !button.dataset.sure) {
      button.dataset.sure = "yes";
      setText(button, "Discard changes");
      this.#say("There are changes that are not saved. Press Discard changes to lose them, or Save to keep them.");
      return;
    }
    this.#close("Nothing was changed.");
  }

  #unsaved() {
    if (!this.draft) return false;
    return Boolean(this.overlay.drawing?.points.length)
      || JSON.stringify(this.draft.fields()) !== JSON.stringify(new LayoutDraft(this.camera).fields());
  }

  #close(words) {
    this.draft = null;
    this.overlay.close();
    this.root.dataset.mode = "read";
    delete this.#button("cancel").dataset.sure;
    setText(this.#button("cancel"), "Cancel");
    this.shown = "";
    this.update(this.camera);
    this.#say(words);
    this.#button("draw").focus();
  }

  async #save() {
    try {
      this.camera = await call("PATCH", this.api, this.draft.fields());
      this.#close("Saved. Counting uses the new shapes within a few seconds.");
    } catch (error) {
      this.#say(error.message);
    }
  }

  #finished(kind, points) {
    const shape = this.draft.add(kind, points);
    this.#showList(this.draft, true);
    this.overlay.draw();
    this.#say(`${this.draft.title(shape)}: not saved yet.`);
    this.list.lastElementChild.querySelector("input, button")?.focus();
  }

  #showList(draft, editing) {
    const items = draft.shapes.map((shape) => this.#item(draft, shape, editing));
    if (!items.length) items.push(element("li", "No shapes: everybody in the picture counts."));
    this.list.replaceChildren(...items);
  }

  #item(draft, shape, editing) {
    const item = element("li");
    if (!editing) {
      item.append(draft.title(shape));
      return item;
    }
    item.append(element("span", KINDS[shape.kind].words));
    if (KINDS[shape.kind].named) item.append(this.#nameField(shape));
    if (shape.kind === "line") {
      item.append(this.#act("Reverse", `Reverse ${draft.title(shape)}`, () => shape.points.reverse()));
    }
    item.append(this.#act("Delete", `Delete ${draft.title(shape)}`, () => {
      draft.remove(shape);
      this.#showList(draft, true);
      this.#button("line").focus();
    }));
    return item;
  }

  #nameField(shape) {
    const input = element("input");
    input.value = shape.name;
    input.maxLength = 40;
    input.setAttribute("aria-label", `Name of this ${KINDS[shape.kind].words.toLowerCase()}`);
    input.addEventListener("input", () => { shape.name = input.value; this.overlay.draw(); });
    return input;
  }

  #act(words, aria, act) {
    const button = element("button", words);
    button.type = "button";
    button.setAttribute("aria-label", aria);
    button.addEventListener("click", () => { act(); this.overlay.draw(); this.#say("Not saved yet."); });
    return button;
  }

  #say(words) {
    setText(this.root.querySelector('[data-part="said"]'), words);
  }

  #button(name) {
    return this.root.querySelector(`[data-act="${name}"]`);
  }

  #on(name, act) {
    this.#button(name)?.addEventListener("click", act);
  }
}

function element(tag, words = "") {
  const made = document.createElement(tag);
  made.textContent = words;
  return made;
}
