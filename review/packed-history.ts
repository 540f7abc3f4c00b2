import { fingerprint, type Migration, readHistorySync } from "../migrations/history/history";
import { encodePayload } from "../migrations/history/payload";
import { loadParser, planMigration } from "../migrations/history/plan";
import type { LintResult } from "./lint";
import { runSquawk } from "./squawk";

/** A history as a release takes it: read, named by its content, and packed for the Job's pod. */
export interface PackedHistory {
  migrations: Migration[];
  /** The last migration is marked `-- release: contract`: it is applied after the rollout. */
  contract: boolean;
  /** sha-256 (hex) of names and contents. */
  fingerprint: string;
  /** Compressed, in pieces that each fit a ConfigMap. */
  payload: Buffer[];
  /** What squawk says about the files, for the review. */
  lint?: LintResult;
}

/**
 * Reads and packs a Prisma migrations folder.
 * @throws HistoryError naming everything that is wrong with it
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
