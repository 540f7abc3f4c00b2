import { readFileSync } from "node:fs";
import { join } from "node:path";

export const README = readFileSync(join(__dirname, "../../README.md"), "utf8");

/** The IAM actions that the README's table lists for `up` with a database of this kind, in their order. */
export function listedActions(kind: "instance" | "cluster"): string[] {
  const row = new RegExp(`^\\| \`up\`, \`database\\.kind: ${kind}\` \\|(.*)\\|$`, "m").exec(README)?.[1] ?? "";
  return [...row.matchAll(/`(rds:\w+)`/g)].map(([, action]) => action!);
}

/** The IAM actions of RDS that docs/recovery.md lists for a restore. */
export function restoreActions(): string[] {
  const page = readFileSync(join(__dirname, "../../docs/recovery.md"), "utf8");
  return [...page.matchAll(/`(rds:[A-Za-z]+)`/g)].map(([, action]) => action!);
}

/** The IAM actions that docs/backup.md lists for the removal of old snapshots. */
export function pruneActions(kind: "instance" | "cluster"): string[] {
  const page = readFileSync(join(__dirname, "../../docs/backup.md"), "utf8");
  const row = new RegExp(`^\\| snapshots, \`database\\.kind: ${kind}\` \\|(.*)\\|$`, "m").exec(page)?.[1] ?? "";
  return [...row.matchAll(/`(rds:\w+)`/g)].map(([, action]) => action!);
}
