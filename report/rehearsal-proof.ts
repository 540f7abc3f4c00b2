import type { Settings } from "../settings/schema";
import { either, type Guard, listOf, number, oneOf, shape, text, valuesOf } from "./guards";
import type { Measurement } from "./measurement";
import { exceededLimits } from "./rehearsal-limits";

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
  /** What was measured and is left out, because a ConfigMap takes 1 MiB; undefined: nothing. */
  readonly leftOut?: string | undefined;
}

/** Returns the name of the ConfigMap with the result of the last rehearsal. Its key `proof` is the JSON of it. */
export function rehearsalProofName(app: string): string {
  return `${app}-rehearsal`;
}

const missing = oneOf(undefined);
const size = either(missing, shape({ rows: number, bytes: number }));
const measuredTable = shape({
  name: text,
  lock: either(missing, text),
  rewritten: oneOf(true, false),
  scanned: oneOf(true, false),
});
const statement = shape({
  ...{ index: number, line: number, kind: text, milliseconds: number, rows: number, walBytes: number },
  tables: listOf(measuredTable),
});
const migration = shape({
  name: text,
  milliseconds: number,
  blocked: listOf(shape({ table: text, lock: text, milliseconds: number })),
  statements: listOf(statement),
});
const measurement = shape({
  ...{ milliseconds: number, diskBytes: number, walBytes: number },
  migrations: listOf(migration),
  growth: valuesOf(shape({ before: size, after: size })),
});
const isProof: Guard = shape({
  fingerprint: text,
  at: (value) => typeof value === "string" && !Number.isNaN(Date.parse(value)),
  of: text,
  result: oneOf("passed", "failed"),
  reason: either(missing, text),
  measurement: either(missing, measurement),
  leftOut: either(missing, text),
});

/** Reads the data of that ConfigMap; undefined if they are no proof that this version knows. */
export function readRehearsalProof(data: unknown): RehearsalProof | undefined {
  const { proof } = (data ?? {}) as { proof?: unknown };
  if (typeof proof !== "string") return undefined;
  try {
    const value: unknown = JSON.parse(proof);
    return isProof(value) ? (value as RehearsalProof) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Returns why a rehearsal proves nothing for a release, as the end of a sentence; undefined if it proves that these
 * migrations work.
 *
 * @param proof undefined: there was no rehearsal
 * @param settings what the settings say of rehearsals: `limits` may be stricter now than they were then
 */
export function proofProblem(
  proof: RehearsalProof | undefined,
  {
    fingerprint,
    settings,
    now,
  }: { fingerprint: string; settings: Pick<Settings["rehearsal"], "maxAge" | "limits">; now: Date },
): string | undefined {
  if (!proof) return "there is no rehearsal of this stack";
  const which = `the last rehearsal, of ${proof.at.slice(0, 16).replace("T", " ")} UTC,`;
  if (proof.fingerprint !== fingerprint) return `${which} was of other migrations`;
  if (proof.result === "failed") return `${which} failed: ${proof.reason ?? "see its log"}`;
  const { maxAge, limits } = settings;
  const age = now.getTime() - Date.parse(proof.at);
  if (age > maxAge.seconds * 1000) return `${which} is older than rehearsal.maxAge (${maxAge})`;
  const { measurement } = proof;
  const [exceeded] = measurement ? exceededLimits(limits, { ...measurement, measurement }) : [];
  return exceeded && `${which} exceeds a limit: ${exceeded.replace(/\.$/, "")}`;
}
