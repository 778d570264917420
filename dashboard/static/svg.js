// Small pieces of SVG, made so that the content policy has nothing to forbid.

const NAMESPACE = "http://www.w3.org/2000/svg";

export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

export function rectangle(className, left, top, width, height) {
  return svg("rect", {
    class: className, x: left.toFixed(2), y: top.toFixed(2),
    width: Math.max(0, width).toFixed(2), height: Math.max(0, height).toFixed(2),
  });
}

export function label(className, x, y, words, anchor = "start") {
  return svg("text", { class: className, x, y, "text-anchor": anchor }, words);
}

// Hatching as fills, `url(#NAME)`: told apart by direction as well as by colour.
export function hatches() {
  return svg("defs", {}, hatch("hatch-gap", "45"), hatch("hatch-invalid", "-45"));
}

function hatch(id, angle) {
  return svg("pattern", {
    id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: `rotate(${angle})`,
  }, svg("rect", { class: `${id} ground`, width: 6, height: 6 }),
  svg("rect", { class: id, width: 2, height: 6 }));
}
