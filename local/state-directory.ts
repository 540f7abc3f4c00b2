import { lstatSync, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";

/**
 * What makes a state directory unfit to be used: whoever can put links or files of his own there decides what this user reads,
 * overwrites and runs. Looked at are the stack's folders down to its cloud's, and what is in the last two; the directory
 * itself may be reached by a link. Nothing is wrong with one that is not there yet.
 */
export function stateDirectoryProblems(stateDir: string, project: string, stack: string): string[] {
  const stackDir = join(stateDir, project, stack);
  const cloudDir = join(stackDir, "cloud");
  const paths = [
    join(stateDir, ".pulumi-passphrase"),
    join(stateDir, project),
    stackDir,
    ...below(stackDir),
    ...below(cloudDir),
  ];
  return paths.flatMap((path) => problemOf(path, lstatSync(path, { throwIfNoEntry: false })) ?? []);
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
