import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { readJson, writeAtomically } from "../text/atomic";

/**
 * Settings that `npm run local -- config` keeps in the stack's directory, as `key=value`. They stand in for changes of
 * the stack's file, which the local release never writes: with the Pulumi CLI it is `pulumi config set` that does.
 */
const file = (stackDir: string) => join(stackDir, "settings.json");

/**
 * Reads the kept settings, in the order in which they are applied. A directory that can't be used has none; what is wrong
 * with it is told where the command line is checked.
 */
export function readKept(stackDir: string): string[] {
  try {
    return readJson<string[]>(file(stackDir)) ?? [];
  } catch (error) {
    if (error instanceof Error && "syscall" in error) return [];
    throw error;
  }
}

/** Keeps these settings and no others. */
export function writeKept(stackDir: string, settings: readonly string[]): void {
  mkdirSync(stackDir, { recursive: true, mode: 0o700 });
  writeAtomically(file(stackDir), `${JSON.stringify(settings, undefined, 1)}\n`);
}

/** Adds settings to kept ones. A setting that is given again replaces the one before. */
export function withKept(kept: readonly string[], given: readonly string[]): string[] {
  const keys = new Set(given.map(keyOf));
  return [...kept.filter((each) => !keys.has(keyOf(each))), ...given];
}

/** Returns the key of a `key=value`. */
export function keyOf(setting: string): string {
  const at = setting.indexOf("=");
  return at < 0 ? setting : setting.slice(0, at);
}
