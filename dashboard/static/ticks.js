// Round numbers and moments for the axes of charts.

const DAY_NAMES = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric" });
const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const LONG_DATE = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });
const TICK_PX = 64;
const MINUTES = [5, 10, 15, 30, 60, 120, 180, 240, 360, 720];
const SECONDS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
const DAYS = [1, 2, 5, 7, 14];

export function hourMinute(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

// The span of a step in words: a day by its date, anything shorter by its clock times.
export function spanWords({ from_s: fromS, to_s: toS }, dayStep, shortSpan) {
  const day = LONG_DATE.format(new Date(fromS * 1000));
  if (dayStep) return day;
  const times = `${hourMinute(fromS)} to ${hourMinute(toS)}`;
  return shortSpan ? times : `${day}, ${times}`;
}

// The least of 1, 2, 5, 10, 20 ... that is not below `value`.
export function niceCeiling(value) {
  const unit = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return unit * [1, 2, 5, 10].find((factor) => factor * unit >= Math.max(value, 1));
}

// Moments to label between two times, with their labels, as many as fit into `widthPx`.
export function timeTicks(fromS, toS, widthPx) {
  const most = Math.max(2, Math.floor(widthPx / TICK_PX));
  const minutes = (toS - fromS) / 60;
  const everyMinutes = MINUTES.find((every) => minutes / every <= most);
  return minutes <= 2 * 1440 && everyMinutes
    ? clockTicks(fromS, toS, everyMinutes) : dayTicks(fromS, toS, most);
}

// The same for seconds since something began.
export function elapsedTicks(fromS, toS, widthPx) {
  const most = Math.max(2, Math.floor(widthPx / TICK_PX));
  const every = SECONDS.find((step) => (toS - fromS) / step <= most) ?? 7200;
  const ticks = [];
  for (let atS = Math.ceil(fromS / every) * every; atS < toS; atS += every) {
    ticks.push({ atS, words: elapsed(atS) });
  }
  return ticks;
}

// Minutes and seconds, hours where there are any: 0:05, 12:30, 1:02:30.
export function elapsed(seconds) {
  const whole = Math.floor(seconds);
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`;
}

function clockTicks(fromS, toS, everyMinutes) {
  const ticks = [];
  const moment = new Date(fromS * 1000);
  moment.setHours(0, 0, 0, 0);
  for (; moment.getTime() / 1000 < toS; moment.setMinutes(moment.getMinutes() + everyMinutes)) {
    const atS = moment.getTime() / 1000;
    if (atS >= fromS) ticks.push({ atS, words: hourMinute(atS) });
  }
  return ticks;
}

function dayTicks(fromS, toS, most) {
  const days = (toS - fromS) / 86400;
  const every = DAYS.find((count) => days / count <= most) ?? 30;
  const names = days <= 10 ? DAY_NAMES : DATE;
  const moment = new Date(fromS * 1000);
  moment.setHours(0, 0, 0, 0);
  const ticks = [];
  for (; moment.getTime() / 1000 < toS; moment.setDate(moment.getDate() + every)) {
    if (moment.getTime() / 1000 >= fromS) ticks.push({ atS: moment.getTime() / 1000, words: names.format(moment) });
  }
  return ticks;
}
