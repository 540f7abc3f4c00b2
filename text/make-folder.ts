import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder and its missing parents. The option `recursive` of Node.js isn't used, because it never returns when a
 * folder can't be made in an existing one, as in /proc.
 *
 * @param mode the mode of the new folders, before the umask; default: 0o777
 * @throws the system's error, with the path of the folder that can't be made
 */
export function makeFolder(folder: string, mode = 0o777): void {
  if (existsSync(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder), mode);
  try {
    mkdirSync(folder, mode);
  } catch (error) {
    // Another process made the folder in the meantime.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
