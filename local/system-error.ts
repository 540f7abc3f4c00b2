const WORDS: Record<string, string> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system can only be read",
  EACCES: "this user may not do that",
  EPERM: "this user may not do that",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
  EIO: "the disk reports an error",
};

/**
 * Describes an error of the operating system, with the file and the next step; undefined for any other error. Files are
 * written completely or not at all, so the earlier content is still there.
 */
export function systemErrorInWords(error: unknown): string | undefined {
  const { code = "", path, syscall } = error as NodeJS.ErrnoException;
  const words = Object.hasOwn(WORDS, code) ? WORDS[code] : undefined;
  if (words === undefined) return undefined;
  return (
    `${path ?? syscall ?? "A file"}: ${words} (${code}). State, database and snapshots are as they were last written. ` +
    "Once that is mended, run the same command again; `status`, `logs` and `down` work meanwhile."
  );
}
