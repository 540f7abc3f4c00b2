import { CHECKS, type CheckName, type Level } from "../../settings/checks";
import type { CheckResult, Finding, Kind } from "../failures/findings";

/** What a check has to say: what it found, and, where it found nothing, what it looked at. */
export interface Looked {
  readonly findings: readonly Omit<Finding, "check" | "kind" | "level">[];
  /** For the report: what is known now, "12 of 100 connections in use". */
  readonly facts: string;
  /** For findings that must not be as bad as the check's level. */
  readonly mild?: boolean;
  /** The check could not look at everything that it is about, and found nothing in the rest: the facts say why. */
  readonly unknown?: boolean;
  /** What the check looks at is not there to be looked at: the facts say what is missing. */
  readonly skipped?: boolean;
}

/** One question to the database, which touches nothing and waits for no lock. The catalogue in settings/ has its title. */
export interface Check<Context, Name extends CheckName = CheckName> {
  readonly name: Name;
  readonly kind: Kind;
  run(context: Context): Promise<Looked>;
}

/** Runs all checks, one after the other on one session. A check that can't look says so in its result and ends nothing. */
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
      // Lost sessions and mistakes of this program are not for a report.
      if (code === undefined || /^(57P|08)/.test(code)) throw error;
      results.push({ name, title, outcome: "unknown", facts: `can't be told: ${message}`, findings: [] });
    }
  }
  return results;
}
