/** `1 migration`, `2 migrations`; a plural that is not made with an s is given. */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
