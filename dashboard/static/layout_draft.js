// What somebody is drawing over a camera's picture: shapes with points in 0..1, not yet saved.

export const KINDS = {
  line: { words: "Line", least: 2, named: true },
  zone: { words: "Zone", least: 3, named: true },
  ignored: { words: "Ignored area", least: 3, named: false },
};
export const MOST_POINTS = 32;

export class LayoutDraft {
  // camera: what the API says of it.
  constructor(camera) {
    const copy = (points) => points.map(([x, y]) => [x, y]);
    this.shapes = [
      ...camera.lines.map(({ name, points }) => ({ kind: "line", name, points: copy(points) })),
      ...camera.zones.map(({ name, points }) => ({ kind: "zone", name, points: copy(points) })),
      ...camera.ignored.map((points, place) => (
        { kind: "ignored", name: `Ignored area ${place + 1}`, points: copy(points) })),
    ];
  }

  // The fields to PATCH.
  fields() {
    const named = (kind) => this.#of(kind).map(({ name, points }) => ({ name, points }));
    return { lines: named("line"), zones: named("zone"), ignored: this.#of("ignored").map(({ points }) => points) };
  }

  add(kind, points) {
    const shape = { kind, name: this.#freeName(kind), points };
    this.shapes.push(shape);
    return shape;
  }

  remove(shape) {
    this.shapes = this.shapes.filter((one) => one !== shape);
  }

  // What a shape is called, with its kind.
  title({ kind, name }) {
    const { words } = KINDS[kind];
    if (name.toLowerCase().startsWith(words.toLowerCase())) return name;
    return `${words} ${name}`;
  }

  #of(kind) {
    return this.shapes.filter((shape) => shape.kind === kind);
  }

  #freeName(kind) {
    const taken = new Set(this.#of(kind).map(({ name }) => name.toLowerCase()));
    for (let number = 1; ; number += 1) {
      const name = `${KINDS[kind].words} ${number}`;
      if (!taken.has(name.toLowerCase())) return name;
    }
  }
}

export function move(points, index, dx, dy) {
  const [x, y] = points[index];
  points[index] = [clamp(x + dx), clamp(y + dy)];
}

export function clamp(share) {
  return Math.round(Math.min(1, Math.max(0, share)) * 10000) / 10000;
}

// From the middle of a line's middle piece, the way that counts as `in`: to the right hand of who
// goes along it. In pixels, y downwards; the same arrow as the worker draws.
export function wayIn(pixels, length) {
  const middle = Math.floor((pixels.length - 1) / 2);
  const [[x1, y1], [x2, y2]] = [pixels[middle], pixels[Math.min(middle + 1, pixels.length - 1)]];
  const size = Math.hypot(x2 - x1, y2 - y1) || 1;
  const foot = [(x1 + x2) / 2, (y1 + y2) / 2];
  return { foot, tip: [foot[0] - (y2 - y1) / size * length, foot[1] + (x2 - x1) / size * length] };
}
