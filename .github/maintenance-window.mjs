// Ends with status 0 inside a maintenance window, else 1: `node maintenance-window.mjs "Mon-Thu 09:00-15:00, Sat 22:00-02:00" Europe/Berlin`.
// A window is a day or a range of days, and a range of times on which it begins; one over midnight belongs to the day it begins on.
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** @throws Error for a window that isn't written so, or a time zone that doesn't exist */
export function isInside(windows, timeZone, now) {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(now);
  const of = (type) => parts.find((part) => part.type === type).value;
  const today = days.indexOf(of("weekday"));
  const time = Number(of("hour")) * 60 + Number(of("minute"));
  return windows
    .split(",")
    .map(read)
    .some(({ from, to, begin, end }) => {
      const on = (day) => (from <= to ? day >= from && day <= to : day >= from || day <= to);
      if (begin < end) return on(today) && time >= begin && time < end;
      return (on(today) && time >= begin) || (on((today + 6) % 7) && time < end);
    });
}

function read(window) {
  const match = /^\s*([A-Z][a-z]{2})(?:-([A-Z][a-z]{2}))?\s+(\d\d):(\d\d)-(\d\d):(\d\d)\s*$/.exec(window);
  const [from, to] = match ? [match[1], match[2] ?? match[1]].map((day) => days.indexOf(day)) : [-1, -1];
  const [begin, end] = match
    ? [Number(match[3]) * 60 + Number(match[4]), Number(match[5]) * 60 + Number(match[6])]
    : [0, 0];
  if (from < 0 || to < 0 || begin >= 1440 || end > 1440 || Number(match[4]) > 59 || Number(match[6]) > 59)
    throw new Error(`"${window.trim()}" is no maintenance window: write it as "Mon-Thu 09:00-15:00".`);
  return { from, to, begin, end };
}

/** Also through symbolic links, however Node was told to treat them: a guard that takes itself for a library lets everything pass. */
function isProgram() {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === realpathSync(fileURLToPath(import.meta.url));
}

if (isProgram()) {
  // Anything that ends this program early leaves the status of a closed window.
  process.exitCode = 1;
  const [windows = "", timeZone = "UTC"] = process.argv.slice(2);
  try {
    const inside = windows.trim() === "" || isInside(windows, timeZone, new Date());
    if (windows.trim() === "") console.log("No maintenance window is set: any time will do.");
    else if (inside) console.log(`Inside the maintenance window: ${windows} ${timeZone}.`);
    else
      console.log(
        `::error::Outside of the maintenance window (${windows} ${timeZone}). Nothing was touched; run this job again when it opens.`,
      );
    process.exitCode = inside ? 0 : 1;
  } catch (error) {
    console.log(
      `::error::${error.message} Nothing was touched; correct MAINTENANCE_WINDOW or MAINTENANCE_TIME_ZONE and run this job again.`,
    );
  }
}
