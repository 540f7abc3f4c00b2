import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Migration } from "../migrations/history/history";
import { judgedRules, type LintResult, unfitRules } from "./lint";

/** The time limit of squawk, in milliseconds. It reads a thousand files in a second, so a longer run means a fault. */
const timeout = 60_000;

interface SquawkMessage {
  file: string;
  /** The line in the file, counted from 0. */
  line: number;
  message: string;
  help: string | null;
  rule_name: string;
}

/**
 * Runs squawk once on the files of these migrations. Its package, `squawk-cli`, is optional: without it the review goes
 * on and reports that squawk's rules are left out.
 */
export async function runSquawk(directory: string, migrations: readonly Migration[]): Promise<LintResult> {
  if (migrations.length === 0) return { messages: [] };
  const names = new Map(migrations.map(({ name }) => [join(directory, name, "migration.sql"), name]));
  // Most of squawk's messages come from rules that the review leaves out, so squawk skips those rules.
  const rules = [...judgedRules, ...unfitRules].join(",");
  try {
    const program = binary();
    const output = await run(program, ["--reporter", "json", "--exclude", rules, ...names.keys()]).catch((error) => {
      // Another version of squawk may lack one of these rules and then refuses the option, so it runs without it.
      if (/invalid rule name/.test(String(error))) return run(program, ["--reporter", "json", ...names.keys()]);
      throw error;
    });
    const found = JSON.parse(output || "[]") as SquawkMessage[];
    return {
      messages: found.map(({ file, line, message, help, rule_name }) => ({
        migration: names.get(file) ?? file,
        line: line + 1,
        rule: rule_name,
        message,
        ...(help !== null && { help }),
      })),
    };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "MODULE_NOT_FOUND") return { unavailable: "the package squawk-cli is not installed" };
    return { unavailable: message.split("\n")[0] ?? "" };
  }
}

/** Returns the path of squawk's program. The package's own wrapper would start a second Node.js process. */
function binary(): string {
  const { getBinaryPath } = require("squawk-cli/js/index.js") as { getBinaryPath(): string };
  return getBinaryPath();
}

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], timeout });
    const chunks: Buffer[] = [];
    let errors = "";
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      // Status 1 means that squawk has messages.
      if (code === 0 || code === 1) resolve(Buffer.concat(chunks).toString("utf8"));
      else reject(new Error(`squawk ended with ${signal ?? `status ${code}`}: ${errors.trim().split("\n")[0] ?? ""}`));
    });
  });
}
