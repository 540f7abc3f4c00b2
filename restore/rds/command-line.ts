import { shellWord } from "../../text/shell-word";

/**
 * Returns a name of RDS' API as the AWS CLI writes it: `DBInstanceIdentifier` as `db-instance-identifier` (botocore,
 * `xform_name`).
 */
export function cliName(name: string): string {
  return name
    .replace(/(.)([A-Z][a-z]+)/g, "$1-$2")
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase();
}

/** Returns a call as a command of the AWS CLI, one option on each line. */
export function cliCommand(operation: string, parameters: Readonly<Record<string, unknown>>): string {
  const options = Object.entries(parameters).map(([name, value]) => option(cliName(name), value));
  return [`aws rds ${cliName(operation)}`, ...options.map((each) => `  ${each}`)].join(" \\\n");
}

function option(name: string, value: unknown): string {
  if (typeof value === "boolean") return value ? `--${name}` : `--no-${name}`;
  const words = Array.isArray(value) ? value.map(word) : [word(value)];
  return `--${name} ${words.map(shellWord).join(" ")}`;
}

/** Returns a value in the CLI's shorthand: `Key=a,Value=b` for a structure, or JSON if a part of it needs quotes. */
function word(value: unknown): string {
  if (value instanceof Date) return time(value);
  if (typeof value !== "object" || value === null) return String(value);
  const parts = Object.entries(value);
  const plain = parts.every(([, part]) => /^[\w:/.@+=-]*$/.test(String(part)) && typeof part !== "object");
  return plain ? parts.map(([key, part]) => `${key}=${String(part)}`).join(",") : JSON.stringify(value);
}

/** Formats a time for RDS, which knows no fractions of a second. */
export function time(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}
