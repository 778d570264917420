// Rows of the tables that scripts fill.

export function row(...cells) {
  const element = document.createElement("tr");
  element.append(...cells);
  return element;
}

export function cell(words, className = "") {
  const element = document.createElement("td");
  element.textContent = words;
  element.className = className;
  return element;
}

export function verdictCell(verdict, words) {
  const element = cell("", "nowrap");
  const mark = document.createElement("i");
  mark.className = `mark ${verdict}`;
  mark.setAttribute("aria-hidden", "true");
  element.append(mark, words);
  return element;
}

// The one row of a table that has nothing to show.
export function emptyRow(words, columns) {
  const only = cell(words, "muted");
  only.colSpan = columns;
  return row(only);
}
