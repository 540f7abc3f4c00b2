import { readFileSync, statSync } from "node:fs";

/**
 * The text of a file that a person named, or in words why it can't be read; undefined where there is none. Nothing that may have
 * no end is read: what a shell hands over (`<(…)`) and standard input are, other FIFOs and devices are not.
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

/** What a parser of YAML says, without the text that it found it in: that may be a secret. */
export function yamlProblem(error: unknown): string {
  const [line = ""] = (error as Error).message.split("\n");
  return line.replace(/: .*$|:$/, "");
}
