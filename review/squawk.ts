import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Migration } from "../migrations/history";
import type { LintMessage } from "../migrations/lint";

/** What squawk says, or why it couldn't say it: the review goes on without it, and tells. */
export type SquawkResult = { readonly messages: LintMessage[] } | { readonly unavailable: string };

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

/** Runs squawk on the files of these migrations, all at once. */
export async function runSquawk(directory: string, migrations: readonly Migration[]): Promise<SquawkResult> {
  if (migrations.length === 0) return { messages: [] };
  try {
    const names = new Map(migrations.map(({ name }) => [join(directory, name, "migration.sql"), name]));
    const output = await run(binary(), ["--reporter", "json", ...names.keys()]);
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
    return { unavailable: (error as Error).message.split("\n")[0] ?? "" };
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
      else
        reject(new Error(`squawk ended with ${signal ?? `status ${code}`}: ${errors.trim().split("\n").at(-1) ?? ""}`));
    });
  });
}
