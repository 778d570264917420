// How many tiles fit, and how wide they are then.

const GAP = 10;
const NARROWEST = 240;
const AROUND = 96; // a tile's head and foot, in pixels
const RATIO = 9 / 16;

// The fewest columns, and so the widest tiles, with which all tiles fit into the space; where
// they do not fit at all, the most columns, and how many tiles of theirs fit. `counts` are the
// tiles of each group, which begins a row of its own.
export function fit(counts, width, height) {
  const most = Math.max(1, ...counts);
  let found = { columns: 1, page: 1 };
  for (let columns = 1; columns <= most; columns += 1) {
    const tile = (width - GAP * (columns - 1)) / columns;
    if (columns > 1 && tile < NARROWEST) break;
    const rows = Math.max(1, Math.floor((height + GAP) / (tile * RATIO + AROUND + GAP)));
    found = { columns, page: columns * rows };
    if (counts.reduce((sum, count) => sum + Math.ceil(count / columns), 0) <= rows) break;
  }
  return found;
}
