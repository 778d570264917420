// How numbers, times and states are written.

export const VERDICTS = ["mask", "incorrect", "no_mask", "unknown"];

export const VERDICT_WORDS = {
  mask: "Mask", incorrect: "Worn incorrectly", no_mask: "No mask", unknown: "Unknown",
};

export const STATE_WORDS = {
  live: "Live", connecting: "Connecting", stalled: "Stalled", offline: "Offline", disabled: "Off",
};

export const ALERT_WORDS = {
  rate: "Mask rate low", offline: "Camera offline", quality: "Unreliable picture",
};

// Where this browser is: all times that scripts write are on its clock.
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const WITH_ZONE = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });

// A time by itself, with the zone it is in: 14:05:30 CET.
export function zonedTime(seconds) {
  const parts = WITH_ZONE.formatToParts(new Date(seconds * 1000));
  return `${clockTime(seconds)} ${parts.find(({ type }) => type === "timeZoneName").value}`;
}

// A time in a list whose heading names the zone.
export function clockTime(seconds) {
  const moment = new Date(seconds * 1000);
  const time = moment.toLocaleTimeString("en-GB");
  const today = moment.toDateString() === new Date().toDateString();
  return today ? time : `${moment.toLocaleDateString("en-CA")} ${time}`;
}

export function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

export function percent(share) {
  return `${(share * 100).toFixed(1)} %`;
}

// Pages need no exact totals of hundreds of thousands; metrics have them.
export function shortCount(count) {
  return count < 10000 ? String(count) : `${(count / 1000).toFixed(count < 100000 ? 1 : 0)}k`;
}

// Name the zone wherever a page leaves room for it.
export function nameZone() {
  for (const element of document.querySelectorAll("[data-zone]")) setText(element, ZONE);
}

export function setText(element, words) {
  if (element && element.textContent !== words) element.textContent = words;
}

export function setCounts(root, counts) {
  for (const verdict of VERDICTS) {
    const element = root?.querySelector(`[data-verdict="${verdict}"]`);
    if (!element) continue;
    const count = counts ? counts[verdict] : null;
    setText(element.querySelector("b"), count === null ? "–" : shortCount(count));
    element.classList.toggle("none", !count);
  }
}
