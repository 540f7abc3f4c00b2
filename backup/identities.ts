import { readFileSync } from "node:fs";
import { NoIdentity } from "./failures/reading";

/**
 * Reads private keys from a file as `age-keygen` writes it: a key on each line, and comments that begin with #.
 *
 * @throws NoIdentity, which never repeats the content
 */
export function readIdentities(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new NoIdentity(`${path} can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
  const keys = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (keys.length === 0) throw new NoIdentity(`${path} has no key`);
  if (keys.some((key) => !key.startsWith("AGE-SECRET-KEY-1")))
    throw new NoIdentity(`a line of ${path} is no private key of age`);
  return keys;
}
