// The arithmetic of the wall: how wide tiles are, in which rows they are, and which rows are near.

export const GAP = 10;
const RATIO = 9 / 16;
const NARROWEST = { auto: 240, small: 240, medium: 320, large: 520 };

export function tileHeight(width, around) {
  return width * RATIO + around;
}

// The widest tiles with which all of them fit into the space; where they do not fit, narrow ones.
// `counts` are the tiles of each group, which begins a row of its own; `around`: the height in
// pixels of a tile without its picture.
export function fit(counts, width, height, around) {
  const most = Math.max(1, ...counts);
  const least = Math.min(NARROWEST.auto, width);
  let best = null;
  for (let columns = 1; columns <= most; columns += 1) {
    const across = (width - GAP * (columns - 1)) / columns;
    if (across < least) break;
    const rows = counts.reduce((sum, count) => sum + Math.ceil(count / columns), 0) || 1;
    const tile = Math.min(across, ((height + GAP) / rows - GAP - around) / RATIO);
    if (tile >= least && tile > (best?.tile ?? 0)) best = { columns, tile };
  }
  return best ?? fill("auto", width);
}

// Tiles of a size, as many side by side as there is room for.
export function fill(size, width) {
  const columns = Math.max(1, Math.floor((width + GAP) / (NARROWEST[size] + GAP)));
  return { columns, tile: (width - GAP * (columns - 1)) / columns };
}

// How many tiles one page of a rotating wall has, of `count`.
export function pageOf(count, width, height, around) {
  const whole = fit([count], width, height, around);
  const rowsThat = ({ tile }) => Math.max(1, Math.floor((height + GAP) / (tileHeight(tile, around) + GAP)));
  if (Math.ceil(count / whole.columns) <= rowsThat(whole)) return { ...whole, page: Math.max(1, count) };
  const filled = fill("auto", width);
  return { ...filled, page: filled.columns * rowsThat(filled) };
}

// The rows of sections ({ heading, items }), each with its place: { heading | items, y, height }.
export function rowsOf(sections, columns, rowPx, headingPx) {
  const rows = [];
  let y = 0;
  const add = (row, height) => { rows.push({ ...row, y, height }); y += height + GAP; };
  for (const { heading, items } of sections) {
    if (heading !== undefined) add({ heading, items: [] }, headingPx);
    for (let at = 0; at < items.length; at += columns) add({ items: items.slice(at, at + columns) }, rowPx);
  }
  return rows;
}

// Those rows that are at least partly between two heights.
export function between(rows, top, bottom) {
  return rows.filter(({ y, height }) => y + height >= top && y <= bottom);
}
