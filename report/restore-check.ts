/** The result of a check that restores the newest backup, as it is kept in the cluster between releases. */
export interface RestoreCheck {
  /** What was restored, such as "dump notes.prod/notes-3f2a9c41b07e of 2026-11-30T19:11:23Z". */
  readonly backup: string;
  /** The time at which the check began, ISO 8601. */
  readonly at: string;
  /** The time from the beginning until the copy was verified: the team's recovery time objective. */
  readonly seconds: number;
  readonly result: "restored" | "failed";
  /** Why it failed; undefined if it didn't. */
  readonly reason?: string | undefined;
}

/** The age in days from which on a check says little about the backups of today. */
const OLD_DAYS = 35;

/** Returns the name of the ConfigMap with the result of the last check. */
export function restoreCheckName(app: string): string {
  return `${app}-restore-check`;
}

/** Reads the data of that ConfigMap; undefined if they are no result. */
export function readRestoreCheck(data: unknown): RestoreCheck | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const { backup, at, seconds, result, reason } = data as Readonly<Record<string, unknown>>;
  if (typeof backup !== "string" || typeof at !== "string" || Number.isNaN(Date.parse(at))) return undefined;
  if (result !== "restored" && result !== "failed") return undefined;
  const why = typeof reason === "string" ? { reason } : {};
  return { backup, at, seconds: Number(seconds), result, ...why };
}

/** Returns what is wrong with the last check; undefined if nothing is. */
export function checkProblem({ backup, at, result, reason }: RestoreCheck, now: Date): string | undefined {
  const day = at.slice(0, 10);
  if (result === "failed") return `the last check, of ${day}, could not restore ${backup}: ${reason ?? "see its log"}`;
  const days = Math.floor((now.getTime() - Date.parse(at)) / 86_400_000);
  return days > OLD_DAYS ? `the last check is of ${day}, ${days} days ago` : undefined;
}
