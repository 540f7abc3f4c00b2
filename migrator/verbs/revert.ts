import { join } from "node:path";
import type { Migration } from "../../migrations/history/history";
import { checksumOf } from "../../migrations/history/history";
import { loadParser } from "../../migrations/history/plan";
import { writeMigrationSync } from "../../migrations/history/write-migration";
import { planRevert, type RevertPlan } from "../../migrations/revert/plan-revert";
import { type PrismaFile, prismaChanges } from "../../migrations/revert/prisma-schema";
import { copyableSql } from "../../migrations/sql/copyable-sql";
import { ScriptError } from "../../migrations/sql/parse";
import { formatText } from "../../review/formats/text";
import { reviewRelease } from "../../review/review";
import { commandLine } from "../../text/command-line";
import { counted } from "../../text/counted";
import { shellWord } from "../../text/shell-word";
import { wrapped } from "../../text/wrapped";
import { countLosses, type LossCount } from "../checks/losses";
import { sizesForReview } from "../checks/sizes-for-review";
import { UnknownMigration } from "../failures/resolve";
import { AlreadyReverted, BuiltUpon, NotApplied, UnreadableHistory, Unwritable } from "../failures/revert";
import type { Log } from "../log";
import { nextCommand } from "../next-command";
import { compareHistory } from "../records/history-state";
import type { Run } from "../run";
import type { Settings } from "../settings";

/** The exit statuses of `revert`: everything is taken back by the SQL, or a part of it isn't. */
const REVERT_EXIT = { whole: 0, part: 10 } as const;

/** What `revert` works with. */
export interface RevertInput {
  readonly settings: Settings;
  readonly log: Log;
  /** The session and what is known of the database; undefined without a connection. */
  readonly run: Run | undefined;
  readonly migrations: readonly Migration[];
  /** The files of the Prisma schema beside the migrations; empty where there are none, as in the Job's pod. */
  readonly prisma: readonly PrismaFile[];
}

/**
 * Shows the SQL that takes a migration back as a new migration, what would be lost by it, and what the review finds in
 * it. With `--write` it writes the new migration into the folder. It never runs any of it.
 * @returns one of {@link REVERT_EXIT}
 * @throws UnknownMigration, AlreadyReverted, NotApplied, BuiltUpon, UnreadableHistory, Unwritable
 */
export async function revert({ settings, log, run, migrations, prisma }: RevertInput): Promise<number> {
  const { name, write } = settings.revert!;
  if (!migrations.some((each) => each.name === name)) throw new UnknownMigration(name);
  refuseSecond(migrations, name);
  if (run) await refuseUnapplied(run, migrations, name);
  await loadParser();
  const plan = planOf(migrations, name, settings);
  refuseBuiltUpon(plan);
  const losses = await countLosses(plan.steps, run?.session);
  const whole = plan.kept.every(({ undo }) => undo.harmless);
  const data = { migration: name, whole, migrations: plan.migrations.map((each) => each.name) };
  const paths = write ? writeMigrations(plan, settings) : undefined;
  const show = (event: string, lines: readonly string[]) => {
    // A command stays in one line, so that it can be copied.
    const broken = lines.flatMap((line) =>
      line.startsWith("Next: ") ? line : wrapped(line, line.startsWith("  ") ? "    " : ""),
    );
    if (lines.length > 0) log.event(event, broken, data);
  };
  show("revert.plan", headLines(plan));
  for (const migration of plan.migrations)
    log.event("revert.sql", sqlLines(migration, settings), {
      ...data,
      name: migration.name,
      checksum: checksumOf(migration.sql),
    });
  show("revert.losses", lossLines(losses));
  show("revert.kept", keptLines(plan, settings));
  show("revert.prisma", prismaLines(plan, prisma));
  if (plan.migrations.length > 0) log.event("revert.review", await reviewLines(plan, migrations, settings, run), data);
  show("revert.next", nextLines(plan, settings, paths));
  return whole ? REVERT_EXIT.whole : REVERT_EXIT.part;
}

/** The first line of each new migration says which one it takes back. */
function refuseSecond(migrations: readonly Migration[], name: string): void {
  const found = migrations.flatMap((migration) => {
    const [, reverted, parts = "1"] =
      /^-- Reverts (\S+?)(?:, part \d+ of (\d+))?\.$/m.exec(migration.sql.slice(0, 1_000)) ?? [];
    return reverted === name ? { name: migration.name, parts: Number(parts) } : [];
  });
  const [first] = found;
  if (first)
    throw new AlreadyReverted(
      name,
      found.map((each) => each.name),
      found.length >= first.parts,
    );
}

async function refuseUnapplied({ session, table }: Run, migrations: readonly Migration[], name: string): Promise<void> {
  const { pending, unfinished } = compareHistory(migrations, await table.read(session));
  if (unfinished.some((row) => row.migrationName === name)) throw new NotApplied(name, "unfinished");
  if (pending.some((each) => each.name === name)) throw new NotApplied(name, "pending");
}

function planOf(migrations: readonly Migration[], name: string, { review: { runner } }: Settings): RevertPlan {
  try {
    return planRevert(migrations, name, { now: new Date(), mayWait: runner === "migrator" });
  } catch (error) {
    if (error instanceof ScriptError) throw new UnreadableHistory(error.message);
    throw error;
  }
}

function refuseBuiltUpon({ name, builtUpon }: RevertPlan): void {
  const last = builtUpon
    .map(({ migration }) => migration)
    .sort()
    .at(-1);
  if (last === undefined) return;
  const verbs = { made: "makes", changed: "changes", gone: "drops or renames" };
  const lines = builtUpon.map(
    ({ migration, object, what, how }) =>
      `  ${migration} ${verbs[how]} ${what}${what === object ? "" : `, of ${object}`}`,
  );
  throw new BuiltUpon(name, [...new Set(lines)], last);
}

/** @throws Unwritable */
function writeMigrations({ migrations }: RevertPlan, { source }: Settings): string[] {
  const directory = "directory" in source ? source.directory : "";
  return migrations.map(({ name, sql }) => {
    try {
      return writeMigrationSync(directory, name, sql);
    } catch (error) {
      throw new Unwritable(join(directory, name), (error as NodeJS.ErrnoException).code ?? String(error));
    }
  });
}

function headLines({ name, steps, kept, migrations }: RevertPlan): string[] {
  const never = kept.filter(({ undo }) => !undo.harmless).length;
  const by = `by ${migrations.length === 1 ? "a new migration" : `${migrations.length} new migrations`}`;
  if (steps.length === 0 && never === 0) return [`${name} changes nothing that could be taken back.`];
  if (steps.length === 0) return [`${name}: none of its ${counted(never, "change")} can be taken back.`];
  if (never === 0) return [`${name} can be taken back as a whole, ${by}.`];
  return [`${name}: ${steps.length} of its ${steps.length + never} changes can be taken back, ${by}.`];
}

function sqlLines({ name, sql }: { name: string; sql: string }, { showValues }: Settings): string[] {
  const text = showValues ? sql : copyableSql(sql);
  return [
    "",
    `${name}/migration.sql`,
    ...text
      .trimEnd()
      .split("\n")
      .map((line) => `  ${line}`),
  ];
}

function lossLines(losses: readonly LossCount[]): string[] {
  if (losses.length === 0) return ["", "Nothing is lost by it."];
  const text = ({ object, of, count }: LossCount) => {
    if ("unknown" in count) return `  ${object}: unknown how many rows (${count.unknown})`;
    const rows = `${count.exact ? "" : "about "}${counted(count.rows, "row")}`;
    return `  ${object}: ${rows}${of === "values" ? ` with a value` : ""}`;
  };
  return ["", "Lost by it:", ...losses.map(text)];
}

function keptLines({ kept }: RevertPlan, settings: Settings): string[] {
  const list = (harmless: boolean) =>
    kept
      .filter(({ undo }) => (undo.harmless === true) === harmless)
      .map(({ line, kind, undo }) => `  line ${line}, ${kind}: ${undo.never}`);
  const [never, stays] = [list(false), list(true)];
  const { stack, restoreCommand = commandLine("restore") } = settings;
  const restore = stack === undefined ? "a backup" : `a backup (${restoreCommand} --stack ${shellWord(stack)} --plan)`;
  return [
    ...(never.length > 0 ? ["", `Not taken back; what is gone is only in ${restore}:`, ...never] : []),
    ...(stays.length > 0 ? ["", "Left as it is, which does no harm:", ...stays] : []),
  ];
}

function prismaLines({ steps }: RevertPlan, prisma: readonly PrismaFile[]): string[] {
  const { lines, others } = prismaChanges(steps, prisma);
  if (lines.length === 0 && others.length === 0) return [];
  return [
    "",
    "schema.prisma has to be changed back too:",
    ...lines.map(
      ({ path, line, name, text, change }) => `  ${path}:${line}  ${change} ${name}: ${text.replace(/\s+/g, " ")}`,
    ),
    ...others.map((object) => `  what stands for ${object}`),
  ];
}

async function reviewLines(
  { migrations: fresh }: RevertPlan,
  migrations: readonly Migration[],
  settings: Settings,
  run: Run | undefined,
): Promise<string[]> {
  const { refuse, acknowledgements, runner } = settings.review;
  const review = reviewRelease({
    history: [...migrations, ...fresh.map((each) => ({ ...each, checksum: checksumOf(each.sql) }))],
    applied: migrations.map(({ name, checksum }) => ({ name, checksum })),
    stats: run && (await sizesForReview(run)),
    policy: { refuse },
    acknowledgements,
    runner,
  });
  const text = formatText({ ...review, void: [] }).trimEnd();
  return ["", "The review of it:", ...text.split("\n").map((line) => `  ${line}`.trimEnd())];
}

function nextLines(
  { name, migrations, kept }: RevertPlan,
  settings: Settings,
  paths: readonly string[] | undefined,
): string[] {
  const history = `${name} stays in the history; what is new is applied after it.`;
  if (migrations.length === 0) {
    const lost = kept.some(({ undo }) => !undo.harmless);
    return [
      "",
      lost ? "Next: write a migration by hand, or restore a backup." : "Next: nothing; there is nothing to take back.",
    ];
  }
  if (paths)
    return [
      "",
      `Written: ${paths.join(", ")}. Nothing was run. ${history}`,
      "Next: change schema.prisma back, read the SQL, commit both, and release as always.",
    ];
  const command =
    settings.revert?.command ?? nextCommand(`revert ${name} --write`, { source: settings.source, stack: undefined });
  return ["", `Nothing was run or written. ${history}`, `Next: ${command} (in the checkout; it needs no database)`];
}
