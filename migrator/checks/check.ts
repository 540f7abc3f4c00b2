import { CHECKS, type CheckName, type Level } from "../../settings/checks";
import type { CheckResult, Finding, Kind } from "../failures/findings";

/** The result of a check: its findings, and the facts that the report shows. */
interface Looked {
  readonly findings: readonly Omit<Finding, "check" | "kind" | "level">[];
  /** The facts for the report, for example "12 of 100 connections in use". */
  readonly facts: string;
  /** True if the findings are only warnings, whatever the check's level is. */
  readonly mild?: boolean;
  /** True if the check could not look at everything and found nothing in the rest. The facts give the reason. */
  readonly unknown?: boolean;
  /** True if what the check looks at doesn't exist. The facts name what is missing. */
  readonly skipped?: boolean;
}

/**
 * A check of the database, which changes nothing and waits for no lock. Its title is in `CHECKS` of settings/checks.ts.
 */
export interface Check<Context, Name extends CheckName = CheckName> {
  readonly name: Name;
  readonly kind: Kind;
  run(context: Context): Promise<Looked>;
}

/**
 * Runs all checks, one after the other on one session. A check that can't look at the database has the outcome
 * "unknown" and doesn't stop the others.
 */
export async function runChecks<Context>(
  checks: readonly Check<Context>[],
  context: Context,
  levels: Readonly<Record<string, Level>>,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const { name, kind, run } of checks) {
    const { title, level: standard } = CHECKS[name];
    const level = levels[name] ?? standard;
    if (level === "off") {
      results.push({ name, title, outcome: "off", facts: "not looked at, by the settings", findings: [] });
      continue;
    }
    try {
      const { findings, facts, mild, unknown, skipped } = await run(context);
      const grade = mild ? "warn" : level;
      const full = findings.map((finding): Finding => ({ check: name, kind, level: grade, ...finding }));
      const outcome = full.length > 0 ? grade : unknown ? "unknown" : skipped ? "off" : "ok";
      results.push({ name, title, outcome, facts, findings: full });
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      // A lost session or a mistake of this program is no result of a check, so it ends the run.
      if (code === undefined || /^(57P|08)/.test(code)) throw error;
      results.push({ name, title, outcome: "unknown", facts: `can't be told: ${message}`, findings: [] });
    }
  }
  return results;
}
