/** The number of hexadecimal digits of a fingerprint that a backup's name has. */
export const FINGERPRINT_DIGITS = 12;

/** What a folder of dumps or branches belongs to. */
interface StackNames {
  readonly project: string;
  readonly stack: string;
}

/** Returns the folder of a stack's dumps or branches. It is of this stack alone: stacks can share a bucket or project. */
export function backupFolder({ project, stack }: StackNames): string {
  return `${project}.${stack}`.replace(/[^A-Za-z0-9_.-]/g, "_");
}

/**
 * Returns the name of a release's dump or branch, such as `notes.prod/notes-3f2a9c41b07e`, with `-2` and so on from the second
 * attempt. It depends on the migrations only. This module imports nothing, because the Pulumi program uses it too.
 */
export function backupName(
  { app, ...stack }: StackNames & { readonly app: string },
  migrationsFingerprint: string,
  attempt: number,
): string {
  const digits = migrationsFingerprint.slice(0, FINGERPRINT_DIGITS);
  return `${backupFolder(stack)}/${app}-${digits}${attempt > 1 ? `-${attempt}` : ""}`;
}
