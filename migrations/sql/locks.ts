/** Postgres' table locks, weakest first. Source: PostgreSQL documentation, 13.3.1 Table-Level Locks. */
export const lockModes = [
  "ACCESS SHARE",
  "ROW SHARE",
  "ROW EXCLUSIVE",
  "SHARE UPDATE EXCLUSIVE",
  "SHARE",
  "SHARE ROW EXCLUSIVE",
  "EXCLUSIVE",
  "ACCESS EXCLUSIVE",
] as const;

/** A mode of table locks. */
export type LockMode = (typeof lockModes)[number];

/** What an app can't do with a table while a session holds the lock or waits for it. */
export type Blocked = "nothing" | "writes" | "reads and writes";

/** What a lock of this mode keeps an app from doing. */
export function blockedBy(mode: LockMode): Blocked {
  if (mode === "ACCESS EXCLUSIVE") return "reads and writes";
  return lockModes.indexOf(mode) >= lockModes.indexOf("SHARE") ? "writes" : "nothing";
}

/** The stronger one of two modes. */
export function stronger(a: LockMode, b: LockMode): LockMode {
  return lockModes.indexOf(a) >= lockModes.indexOf(b) ? a : b;
}
