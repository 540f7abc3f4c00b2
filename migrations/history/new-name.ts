/**
 * Returns the name of a new migration's folder: its time in UTC and its title, as in `20260410120000_add_colour`. The
 * name stands after every other one in the order of the history.
 * @param last the name after which it must stand; empty: there is none
 */
export function newName(title: string, last: string, now: Date): string {
  const [written = ""] = /^\d+/.exec(last) ?? [];
  const time = now.toISOString().replace(/\D/g, "").slice(0, 14);
  const name = `${time}_${title}`;
  if (comesAfter(name, last) && BigInt(time) > BigInt(written || 0)) return cut(name);
  // The last migration may have a time in the future, or a number that is longer than a time.
  const later = `${next(written)}_${title}`;
  return cut(comesAfter(later, last) ? later : `${last}_${title}`);
}

function comesAfter(name: string, other: string): boolean {
  return Buffer.compare(Buffer.from(name), Buffer.from(other)) > 0;
}

/** The next number, or the next second if the number is a time. */
function next(digits: string): string {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(digits) ?? [];
  const time = year && new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (!time || Number.isNaN(time.getTime())) return String(BigInt(digits || 0) + 1n).padStart(digits.length, "0");
  return new Date(time.getTime() + 1000).toISOString().replace(/\D/g, "").slice(0, 14);
}

/** The column _prisma_migrations.migration_name has 255 characters. */
function cut(name: string): string {
  return [...name].slice(0, 255).join("");
}
