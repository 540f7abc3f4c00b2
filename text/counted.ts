/**
 * A number with its noun: `1 migration`, `2 migrations`.
 * @param many the plural; default: `one` with an s
 */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
