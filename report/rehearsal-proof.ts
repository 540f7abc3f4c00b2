import type { Measurement } from "./measurement";

/** The result of a rehearsal of migrations on a copy, as it is kept in the cluster for the releases after it. */
export interface RehearsalProof {
  /** The sha-256 of the names and contents of all migrations, as in the outputs of a release. It proves only these. */
  readonly fingerprint: string;
  /** The time at which the rehearsal began, ISO 8601. */
  readonly at: string;
  /** What was restored for it, such as "snapshot notes-db-0a4ccad5b85c of 2026-11-21 10:00 UTC". */
  readonly of: string;
  readonly result: "passed" | "failed";
  /** Why it failed, in one line without values of rows; undefined if it didn't. */
  readonly reason?: string | undefined;
  /** What was measured; undefined if the migrations did not run to their end. */
  readonly measurement?: Measurement | undefined;
}

/** Returns the name of the ConfigMap with the result of the last rehearsal. Its key `proof` is the JSON of it. */
export function rehearsalProofName(app: string): string {
  return `${app}-rehearsal`;
}
