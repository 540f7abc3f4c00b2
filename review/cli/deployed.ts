import type { Migration } from "../../migrations/history/history";
import { type Applied, appliedUntil } from "../applied";
import { type Base, readBase } from "./base";
import type { LiveStack } from "./live-stack";
import { ReviewSettingsError } from "./settings-error";

/** The migrations under review. */
export interface MigrationsHere {
  readonly directory: string;
  readonly folder: readonly Migration[];
  /** The setting `review.since`: the last migration that is deployed, where nothing else tells it. */
  readonly since: string | undefined;
}

/**
 * Returns the migrations that are deployed already: those of the base (`--base`), or else those up to one that
 * `--since`, the outputs of the stack or `review.since` names.
 *
 * @throws BaseError when the base can't be read
 * @throws ReviewSettingsError when the folder has no migration of that name
 */
export async function deployed(
  options: { readonly base?: string; readonly since?: string; readonly stack?: string },
  { directory, folder, since: setting }: MigrationsHere,
  live: () => Promise<LiveStack>,
): Promise<Base> {
  if (options.base !== undefined) return readBase(directory, options.base, folder);
  const { last } = options.since === undefined ? await live() : {};
  const applied = last === undefined ? until(folder, options.since ?? setting) : appliedUntil(folder, last);
  const notes =
    last !== undefined ? [`By the outputs of stack ${options.stack}, the migrations up to ${last} are deployed.`] : [];
  if (applied.length === 0) notes.push("If the database is not empty, pass --base or --since.");
  return { history: [...folder], applied, notes };
}

/** Reads what the outputs tell of the stack that was asked for. */
export async function readLive(stack: string | undefined): Promise<LiveStack> {
  return stack === undefined ? {} : (await import("./live-stack.js")).liveStack(process.cwd(), stack);
}

function until(history: readonly Migration[], name: string | undefined): Required<Applied>[] {
  if (name === undefined) return [];
  if (!history.some((migration) => migration.name === name))
    throw new ReviewSettingsError(`Unknown migration --since ${name}: the folder has none of that name.`);
  return appliedUntil(history, name);
}

/** Returns a function that does the work at its first call, and afterwards returns the same result. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}
