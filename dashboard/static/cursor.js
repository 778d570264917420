// A chart's cursor: pointer and arrow keys pick a step, and a box says what is in it.
// The chart is a slider to screen readers, whose value is the step in words.

export class Cursor {
  // chart: {count, indexAt(x), centre(index), words(index), lines(index)}; see `use`.
  constructor(root, tip) {
    this.root = root;
    this.tip = tip;
    this.chart = null;
    this.index = null;
    root.addEventListener("pointermove", (event) => this.#point(event));
    root.addEventListener("pointerdown", (event) => this.#point(event));
    root.addEventListener("pointerleave", () => this.hide());
    root.addEventListener("focus", () => this.show(this.index ?? this.chart.count - 1));
    root.addEventListener("blur", () => this.hide());
    root.addEventListener("keydown", (event) => this.#press(event));
  }

  // Follow another drawing of the chart; keeps the step that is shown.
  use(chart) {
    this.chart = chart;
    const last = Math.max(0, chart.count - 1);
    this.root.setAttribute("aria-valuemin", 0);
    this.root.setAttribute("aria-valuemax", last);
    this.#announce(Math.min(this.index ?? last, last));
    if (!this.tip.hidden) this.show(Math.min(this.index, last));
  }

  show(index) {
    if (!this.chart?.count) return;
    this.index = Math.max(0, Math.min(this.chart.count - 1, index));
    this.#announce(this.index);
    this.tip.replaceChildren(...this.chart.lines(this.index));
    this.tip.hidden = false;
    const width = this.root.clientWidth;
    const x = this.chart.centre(this.index);
    const line = this.root.querySelector(".cursor");
    line?.setAttribute("x1", x);
    line?.setAttribute("x2", x);
    line?.removeAttribute("display");
    const left = x + 14 + this.tip.offsetWidth <= width ? x + 14 : x - 14 - this.tip.offsetWidth;
    this.tip.style.left = `${Math.max(0, Math.min(left, width - this.tip.offsetWidth))}px`;
  }

  hide() {
    this.tip.hidden = true;
    this.root.querySelector(".cursor")?.setAttribute("display", "none");
  }

  #announce(index) {
    this.root.setAttribute("aria-valuenow", index);
    this.root.setAttribute("aria-valuetext", this.chart.count ? this.chart.words(index) : "No data");
  }

  #point(event) {
    if (!this.chart?.count) return;
    const x = event.clientX - this.root.getBoundingClientRect().left;
    this.show(this.chart.indexAt(x));
  }

  #press(event) {
    const last = this.chart.count - 1;
    const index = this.index ?? last;
    const goes = {
      ArrowLeft: index - 1, ArrowRight: index + 1, ArrowDown: index - 1, ArrowUp: index + 1,
      PageUp: index - 6, PageDown: index + 6, Home: 0, End: last,
    };
    if (event.key === "Escape") this.hide();
    else if (event.key in goes) {
      event.preventDefault();
      this.show(goes[event.key]);
    }
  }
}
