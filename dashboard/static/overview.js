// Shows the overview's days and hours by this browser's clock, unless its address says whose.

import { ZONE } from "./words.js";

const here = new URL(location.href);
const { clock } = document.querySelector("[data-clock]").dataset;
if (!here.searchParams.has("tz") && clock !== ZONE) {
  here.searchParams.set("tz", ZONE);
  location.replace(here);
}
