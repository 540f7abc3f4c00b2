import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Migration } from "../migrations/history/history";
import { judgedRules, type LintResult, unfitRules } from "./lint";

/** squawk reads a thousand files in a second; more than this is a fault of its own. */
const timeout = 60_000;

interface SquawkMessage {
  file: string;
  /** From 0. */
  line: number;
  message: string;
  help: string | null;
  rule_name: string;
}

/**
 * Asks squawk about the files of these migrations, all at once. It is an optional package (`squawk-cli`): the review goes on without
 * it, and tells.
 */
export async function runSquawk(directory: string, migrations: readonly Migration[]): Promise<LintResult> {
  if (migrations.length === 0) return { messages: [] };
  const names = new Map(migrations.map(({ name }) => [join(directory, name, "migration.sql"), name]));
  // The rules that the review leaves out are most of what squawk says.
  const rules = [...judgedRules, ...unfitRules].join(",");
  try {
    const program = binary();
    const output = await run(program, ["--reporter", "json", "--exclude", rules, ...names.keys()]).catch((error) => {
      // Another version knows other rules.
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

/** The program itself: its wrapper would start a second Node. */
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
      // 1: it has something to say.
      if (code === 0 || code === 1) resolve(Buffer.concat(chunks).toString("utf8"));
      else reject(new Error(`squawk ended with ${signal ?? `status ${code}`}: ${errors.trim().split("\n")[0] ?? ""}`));
    });
  });
}
