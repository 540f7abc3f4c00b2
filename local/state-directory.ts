import { accessSync, constants, lstatSync, mkdtempSync, readdirSync, rmdirSync, type Stats, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** Whether the command writes to the state directory. Commands that only show or stop things work read-only. */
export type Use = "changes" | "reads";

/**
 * Returns the problems that make a state directory unusable. First, its folders must be folders that can be used or
 * created. Second, they must belong to this user alone: anyone who can put links or files there decides what this user
 * reads, overwrites and runs. The stack's folders down to the cloud's are checked, and the contents of the last two.
 * The directory itself may be reached by a link, or not exist yet. The check leaves no files.
 */
export function stateDirectoryProblems(stateDir: string, project: string, stack: string, use: Use): string[] {
  const stackDir = join(stateDir, project, stack);
  const cloudDir = join(stackDir, "cloud");
  try {
    const problem = folderProblem(stateDir, stackDir, use);
    if (problem !== undefined) return [unusable(stateDir, problem)];
    const paths = [
      join(stateDir, ".pulumi-passphrase"),
      join(stateDir, project),
      stackDir,
      ...below(stackDir),
      ...below(cloudDir),
    ];
    return paths.flatMap((path) => problemOf(path, lstatSync(path, { throwIfNoEntry: false })) ?? []);
  } catch (error) {
    return [unusable(stateDir, (error as Error).message)];
  }
}

function unusable(stateDir: string, why: string): string {
  return `--state-dir ${stateDir} can't be used: ${why}. Nothing was read or changed; name another folder`;
}

/**
 * The reason why a folder of the stack can't be used or created. If it is missing, a folder is created in the nearest
 * existing parent and removed again. Checking permissions is not enough: in /proc root seems to be allowed everything,
 * but nothing can be created, and Node.js' recursive mkdir never ends.
 */
function folderProblem(stateDir: string, stackDir: string, use: Use): string | undefined {
  const there = nearest(join(stackDir, "cloud"));
  // The caller reports a link in the stack's own folders, with another solution.
  if (there.startsWith(join(stateDir, "/")) && lstatSync(there).isSymbolicLink()) return undefined;
  const stats = statSync(there, { throwIfNoEntry: false });
  if (!stats) return `${there} is a link to what is not there`;
  if (!stats.isDirectory()) return `${there} is not a folder`;
  const { R_OK, W_OK, X_OK } = constants;
  try {
    if (!there.startsWith(stackDir)) rmdirSync(mkdtempSync(join(there, ".release-trial-")));
    else accessSync(there, use === "reads" ? R_OK | X_OK : R_OK | W_OK | X_OK);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    // Commands that show or stop a stack need no disk space, and those that need it report the error themselves.
    if (code === "ENOSPC" || code === "EDQUOT") return undefined;
    return there.startsWith(stackDir)
      ? `${there} can't be ${use === "reads" ? "read" : "written to"} (${code})`
      : `no folder can be made in ${there} (${code})`;
  }
  return undefined;
}

/** The folder itself or its nearest parent that exists. */
function nearest(folder: string): string {
  for (let path = folder; ; path = dirname(path)) {
    try {
      lstatSync(path);
      return path;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    }
  }
}

function problemOf(path: string, stats: Stats | undefined): string | undefined {
  if (!stats) return undefined;
  const way = "nothing was read or changed; use another --state-dir, or";
  if (stats.isSymbolicLink()) return `${path} is a symbolic link; ${way} put the real file in its place`;
  const me = process.getuid?.();
  if (me !== undefined && stats.uid !== me)
    return `${path} belongs to another user (${stats.uid}, you are ${me}); ${way} run the command as that user`;
  if (!stats.isFile() && !stats.isDirectory()) return `${path} is neither a file nor a folder; ${way} remove it`;
  return undefined;
}

function below(folder: string): string[] {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  return stats?.isDirectory() ? readdirSync(folder).map((name) => join(folder, name)) : [];
}
