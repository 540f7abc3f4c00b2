import { fingerprint, type Migration, readHistorySync } from "../migrations/history/history";
import { encodePayload } from "../migrations/history/payload";
import { loadParser, planMigration } from "../migrations/history/plan";
import { releasedUntil } from "../migrations/history/until";
import type { LintResult } from "./lint";
import { runSquawk } from "./squawk";

/**
 * The migrations in the form that a release needs: with the fingerprint of their content, and packed for the Job's pod.
 */
export interface PackedHistory {
  migrations: Migration[];
  /** The names of the folder's later migrations, which `migrations.until` holds back. Default: none. */
  heldBack?: readonly string[];
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
 * @param until the last migration that is released; default: the last one of the folder
 * @throws HistoryError that names everything that is wrong with it, or if it has no migration `until`
 */
export async function packHistory(directory: string, until?: string): Promise<PackedHistory> {
  const { migrations, heldBack } = releasedUntil(directory, readHistorySync(directory), until);
  const last = migrations.at(-1);
  const lint = runSquawk(directory, migrations);
  if (last) await loadParser();
  return {
    ...{ migrations, heldBack },
    contract: last !== undefined && planMigration(last).contract,
    fingerprint: fingerprint(migrations),
    payload: encodePayload(migrations),
    lint: await lint,
  };
}
