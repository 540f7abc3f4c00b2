import { hotfixTitle } from "../../migrations/history/hotfix";
import { shellWord } from "../../text/shell-word";
import { nextCommand } from "../next-command";
import type { Run } from "../run";

/** A migration that was run with `sql --hotfix`. */
export interface BegunHotfix {
  readonly name: string;
  /** The time of its last run. */
  readonly at: Date;
  /** The command that finishes it, and writes its folder. */
  readonly command: string;
}

/**
 * Finds the migrations among these that were run with `sql --hotfix`, by the audit trail; none if that can't be read.
 */
export async function findHotfixes({ session, settings }: Run, names: readonly string[]): Promise<BegunHotfix[]> {
  const rows = await session
    .rows<{ name: string; at: Date; file: string }>(
      `SELECT DISTINCT ON (migration) migration AS name, at, data->>'file' AS file FROM _release.audit
       WHERE event = 'hotfix.started' AND migration = ANY ($1) ORDER BY migration, id DESC`,
      [names],
    )
    .catch(() => []);
  return rows.map(({ name, at, file }) => ({
    ...{ name, at },
    command: nextCommand(`sql --hotfix ${hotfixTitle(name)} ${shellWord(file)}`, settings),
  }));
}

/** Describes each of the migrations that the folder lacks, in the order of their names, if it is a hotfix. */
export async function describeHotfixes(run: Run, names: readonly string[]): Promise<string[]> {
  const hotfixes = await findHotfixes(run, names);
  return hotfixes.map(
    ({ name, at, command }) =>
      `  ${name}: a hotfix, run by hand at ${at.toISOString()}; its folder: ${command} (runs nothing again)`,
  );
}
