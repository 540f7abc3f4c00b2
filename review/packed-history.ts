import { fingerprint, type Migration, readHistorySync } from "../migrations/history/history";
import { encodePayload } from "../migrations/history/payload";
import { loadParser, planMigration } from "../migrations/history/plan";
import type { LintResult } from "./lint";
import { runSquawk } from "./squawk";

/**
 * The migrations in the form that a release needs: with the fingerprint of their content, and packed for the Job's pod.
 */
export interface PackedHistory {
  migrations: Migration[];
  /** Whether the last migration is marked `-- release: contract`, and is so applied after the rollout. */
  contract: boolean;
  /** The sha-256 (hexadecimal) of all names and contents. */
  fingerprint: string;
  /** The compressed migrations, in pieces that each fit into a ConfigMap (1 MiB). */
  payload: Buffer[];
  /** The messages of squawk about the files, for the review. */
  lint?: LintResult;
}

/**
 * Reads and packs a Prisma migrations folder.
 * @throws HistoryError that names everything that is wrong with it
 */
export async function packHistory(directory: string): Promise<PackedHistory> {
  const migrations = readHistorySync(directory);
  const last = migrations.at(-1);
  const lint = runSquawk(directory, migrations);
  if (last) await loadParser();
  return {
    migrations,
    contract: last !== undefined && planMigration(last).contract,
    fingerprint: fingerprint(migrations),
    payload: encodePayload(migrations),
    lint: await lint,
  };
}
