import type { ReportedFinding, ReportedResult } from "../../report/contract";
import { counted } from "../../text/counted";
import { Failure, UNTOUCHED } from "./failure";

/** The exit status of a preflight that fails, by the kind of its first finding. */
const KIND_EXIT = { connection: 3, history: 4, permission: 4, locks: 6, capacity: 8, data: 9 } as const;

/** The subject of a finding, which decides the exit status. */
export type Kind = keyof typeof KIND_EXIT;

/** One finding of a check, with what decides how the run ends. */
export interface Finding extends ReportedFinding {
  readonly kind: Kind;
  readonly level: "fail" | "warn";
}

/** The result of one check. */
export interface CheckResult extends ReportedResult {
  readonly findings: readonly Finding[];
}

/**
 * Preflight found problems that would make the release fail. The exit status depends on the kind of the first finding.
 */
export class PreflightFindings extends Failure {
  override readonly code = "preflight";
  override readonly exit: number;

  constructor(findings: readonly Finding[]) {
    super({
      what: `Preflight found ${findings.length === 1 ? "a problem" : `${findings.length} problems`}; the release was not begun.`,
      detail: findings.flatMap((each) => describe(each, findings.length > 1)),
      database: UNTOUCHED,
      next:
        findings.length === 1
          ? `${findings[0]!.next}; then: {rerun}`
          : "see to each of them as its line says, then: {rerun}",
    });
    this.exit = KIND_EXIT[findings[0]!.kind];
  }
}

/**
 * The database differs from what the migrations promise. `all` is the number of migrations in the folder, and `open`
 * the number of those that are not applied.
 */
export class VerifyFindings extends Failure {
  override readonly code = "verify";
  override readonly exit = 9;

  constructor(findings: readonly Finding[], { open, all }: { open: number; all: number }) {
    const found = `verification found ${findings.length === 1 ? "a problem" : `${findings.length} problems`}.`;
    const applied = `${all - open} of ${counted(all, "migration")} ${all - open === 1 ? "is" : "are"} applied`;
    super({
      what: open === 0 ? `The migrations are applied, but ${found}` : `Only ${applied}, and ${found}`,
      detail: findings.flatMap((each) => describe(each, findings.length > 1)),
      database:
        open === 0
          ? "all migrations are applied and stay; the new version of the app is not rolled out."
          : `${applied}; verification changed nothing.`,
      next:
        findings.length === 1
          ? `${findings[0]!.next}; then: {rerun}`
          : "see to each of them as its line says, then: {rerun}",
    });
  }
}

/** `drift` found that somebody changed the live schema by hand. */
export class DriftFound extends Failure {
  override readonly code = "drift";
  override readonly exit = 9;

  constructor({ what, evidence, next }: Pick<Finding, "what" | "evidence" | "next">) {
    super({
      what,
      detail: evidence,
      database: UNTOUCHED,
      next: `${next}; then: {rerun}`,
    });
  }
}

function describe({ check, what, evidence, next }: Finding, withNext: boolean): string[] {
  const shown = evidence.slice(0, 3).map((line) => `    ${line.trim()}`);
  if (evidence.length > 3) shown.push(`    and ${evidence.length - 3} more, see the report above`);
  return [`- ${check}: ${what}`, ...shown, ...(withNext ? [`    Next: ${next}`] : [])];
}
