import type { Migration } from "../history/history";
import { parseScript } from "../sql/parse";
import { refusedInTransaction } from "../statements/statements";
import type { Inverse } from "../statements/undo";
import type { Kept, Step } from "./effects";
import { migrationName } from "./migration-name";

/** A new migration that takes a part of another one back. */
export interface RevertMigration {
  /** The name of its folder. */
  readonly name: string;
  readonly sql: string;
}

/** What a plan needs besides the history. */
export interface RevertOptions {
  /** The time of the new migrations' names. */
  readonly now: Date;
  /** Whether a migration may wait for the rollout (`-- release: contract`). The command of an app can't do that. */
  readonly mayWait: boolean;
}

/** Writes the steps as migrations: a new one where a statement needs a transaction of its own. */
export function newMigrations(
  { name, steps, kept }: { name: string; steps: readonly Step[]; kept: readonly Kept[] },
  history: readonly Migration[],
  { now, mayWait }: RevertOptions,
): RevertMigration[] {
  const groups = groupsOf(steps.map(({ undo }) => undo));
  // Only the last ones may wait for the rollout, because an ordinary migration can't follow one that waits.
  const lastOrdinary = groups.findLastIndex(({ after }) => !after);
  const left = kept
    .filter(({ undo }) => !undo.harmless)
    .map(({ line, kind, undo }) => `-- Not taken back: line ${line}, ${kind}: ${undo.never}.\n`);
  let last = history.at(-1)!.name;
  return groups.map(({ texts }, index) => {
    last = migrationName(name, index, last, now);
    const part = groups.length > 1 ? `, part ${index + 1} of ${groups.length}` : "";
    const waits = mayWait && index > lastOrdinary ? "-- release: contract\n" : "";
    return {
      name: last,
      sql: [`-- Reverts ${name}${part}.\n`, ...(index === 0 ? left : []), waits, ...texts].join(""),
    };
  });
}

/** The texts of one migration. */
interface Group {
  readonly texts: string[];
  /** Whether all of it may run when the older version of the app serves again. */
  after: boolean;
  /** Whether it is a single statement that Postgres refuses in a transaction. */
  readonly alone: boolean;
}

function groupsOf(inverses: readonly Inverse[]): Group[] {
  const groups: Group[] = [];
  for (const { sql, apart, after, note } of inverses)
    for (const [index, piece] of sql.entries()) {
      const alone = [...parseScript(piece)].some(({ node, text }) => refusedInTransaction(node, text) !== undefined);
      const open = groups.at(-1);
      const begins = !open || open.alone || alone || (apart === true && index > 0);
      const group = begins ? { texts: [], after: true, alone } : open;
      if (begins) groups.push(group);
      const told = note !== undefined && (index === sql.length - 1 || alone) ? `-- ${note}\n` : "";
      group.texts.push(`${told}${piece};\n`);
      if (!after) group.after = false;
    }
  return groups;
}
