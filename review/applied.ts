import type { Migration } from "../migrations/history/history";

/** A migration that an earlier release has deployed. */
export interface Applied {
  readonly name: string;
  /** The checksum that it had then; undefined if it is unknown. */
  readonly checksum?: string;
}

/** Lists the migrations up to the given one, which a release finds deployed. */
export function appliedUntil(history: readonly Migration[], last: string): Required<Applied>[] {
  return history
    .filter(({ name }) => Buffer.compare(Buffer.from(name), Buffer.from(last)) <= 0)
    .map(({ name, checksum }) => ({ name, checksum }));
}
