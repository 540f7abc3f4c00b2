import { readFileSync, statSync } from "node:fs";

/**
 * Reads a file whose path a person gave. Returns its text, or the reason why it can't be read; undefined if
 * it doesn't exist. Files that may have no end are refused: standard input and what a shell passes (`<(…)`)
 * are read, but other FIFOs and devices are not.
 */
export function readNamedFile(path: string): { text: string } | { problem: string } | undefined {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) return { problem: "it is a folder" };
    if (!stats.isFile() && !/^\/dev\/(stdin$|fd\/)/.test(path))
      return { problem: "it is a FIFO, a socket or a device" };
    return { text: readFileSync(path, "utf8") };
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    return { problem: code === "EACCES" || code === "EPERM" ? `this user may not read it (${code})` : message };
  }
}

/** The message of a YAML parser, without the excerpt of the text, which may contain a secret. */
export function yamlProblem(error: unknown): string {
  const [line = ""] = (error as Error).message.split("\n");
  return line.replace(/: .*$|:$/, "");
}
