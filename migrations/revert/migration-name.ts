/**
 * Returns the folder's name of a migration that takes another one back: `20260410120000_revert_add_colour`.
 * @param name the migration that is taken back
 * @param index the place among several new migrations, counted from 0; each later one has its number at the end
 * @param last the name after which the new one must stand in the order of the history
 */
export function migrationName(name: string, index: number, last: string, now: Date): string {
  const title = name.replace(/^\d+_?/, "") || name;
  const number = index === 0 ? "" : `_${index + 1}`;
  let time = now.toISOString().replace(/\D/g, "").slice(0, 14);
  const [written = ""] = /^\d+/.exec(last) ?? [];
  const text = () => `${time}_revert_${title}${number}`;
  if (comesAfter(text(), last) && BigInt(time) > BigInt(written || 0)) return cut(text());
  // The last migration may have a time in the future, or a number that is longer than a time.
  time = next(written);
  return cut(comesAfter(text(), last) ? text() : `${last}_revert_${title}${number}`);
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
