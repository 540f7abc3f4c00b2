import { setFlagsFromString } from "node:v8";

/** More text than this, in characters, makes memory matter more than speed. */
const MUCH = 2 * 2 ** 20;

/**
 * The Job's pod has little memory, and the program is short: with much SQL a young generation that doesn't grow, and code that is small
 * rather than fast, save 30 MiB of 10 MiB of SQL. With little SQL they would only cost time.
 */
export function keepHeapSmall(migrations: readonly { sql: string }[]): void {
  if (migrations.reduce((sum, { sql }) => sum + sql.length, 0) < MUCH) return;
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--optimize-for-size");
}
