import type { Migration } from "../migrations/history/history";

/** A migration that a release has deployed before. */
export interface Applied {
  readonly name: string;
  /** The checksum that it had then; left out where it isn't known. */
  readonly checksum?: string;
}

/** Lists the migrations that a release finds deployed, from the name of the last one. */
export function appliedUntil(history: readonly Migration[], last: string): Required<Applied>[] {
  return history
    .filter(({ name }) => Buffer.compare(Buffer.from(name), Buffer.from(last)) <= 0)
    .map(({ name, checksum }) => ({ name, checksum }));
}
