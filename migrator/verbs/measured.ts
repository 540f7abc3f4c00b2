import type { MeasuredMigration, Measurement } from "../../report/measurement";
import { formatBytes } from "../../text/bytes";
import { formatDuration } from "../../text/short-duration";
import type { TableSize } from "../../text/table-size";
import { tableSizes } from "../checks/table-sizes";
import type { Measurer } from "../measure/measurer";
import { changedPlans, readPlans, type StatementPlans } from "../measure/statement-plans";
import type { Run } from "../run";

/** What is read of a database before and after the migrations. */
interface Readings {
  readonly sizes: Readonly<Record<string, TableSize>>;
  readonly bytes: number;
  readonly wal: number;
  readonly plans: StatementPlans | undefined;
}

/** Reads what the migrations may change. */
export async function readBefore({ session }: Run, measure: Measurer): Promise<Readings> {
  const sizes = await tableSizes(session, "all");
  const plans = await readPlans(session);
  const [row] = await session.rows<{ bytes: number }>("SELECT pg_database_size(current_database())::float8 AS bytes");
  return { sizes, plans, bytes: row?.bytes ?? 0, wal: await measure.walPosition() };
}

/**
 * Logs the event `measured`, whose fields are those of a {@link Measurement}. The migrations are applied by then, so what
 * can't be read is a warning.
 */
export async function logMeasured(run: Run, measure: Measurer, before: Readings): Promise<void> {
  try {
    await log(run, measure, before);
  } catch (error) {
    if (run.session.lost !== undefined || run.signal.aborted) throw error;
    run.log.event("measured.failed", `Warning: not measured: ${(error as Error).message}`);
  }
}

async function log(run: Run, measure: Measurer, before: Readings): Promise<void> {
  const milliseconds = Math.round(measure.migrations.reduce((sum, each) => sum + each.milliseconds, 0) * 10) / 10;
  const after = await readBefore(run, measure);
  const measurement: Measurement = {
    milliseconds,
    migrations: measure.migrations,
    growth: growthOf(before.sizes, after.sizes, measure.migrations),
    diskBytes: after.bytes - before.bytes,
    walBytes: after.wal - before.wal,
    plans: before.plans && after.plans && changedPlans(before.plans, after.plans),
  };
  const total = `Measured: ${formatBytes(measurement.walBytes)} of WAL, and the database changed by ${signed(measurement.diskBytes)}.`;
  run.log.event("measured", [...measurement.migrations.map(describe), total], { ...measurement });
}

function describe({ name, milliseconds, blocked }: MeasuredMigration): string {
  const blocks = blocked.map((each) => `${each.table} ${formatDuration(each.milliseconds)} (${each.lock})`);
  const text = blocks.length > 0 ? `blocked ${blocks.join(", ")}` : "blocked no table";
  return `Measured ${name}: ${formatDuration(milliseconds)}, ${text}`;
}

function signed(bytes: number): string {
  return bytes < 0 ? `-${formatBytes(-bytes)}` : `+${formatBytes(bytes)}`;
}

/** Returns the sizes of the tables that were locked, rewritten or read, or whose size is another one. */
function growthOf(
  before: Readings["sizes"],
  after: Readings["sizes"],
  migrations: readonly MeasuredMigration[],
): Measurement["growth"] {
  const seen = new Set(
    migrations.flatMap(({ statements }) => statements.flatMap(({ tables }) => tables.map(({ name }) => name))),
  );
  const growth: Record<string, { before?: TableSize; after?: TableSize }> = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[name], after[name]];
    if (seen.has(name) || was?.bytes !== is?.bytes)
      growth[name] = { ...(was && { before: was }), ...(is && { after: is }) };
  }
  return growth;
}
