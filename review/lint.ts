import type { MigrationPlan } from "../migrations/history/plan";
import type { Finding } from "./finding";

/** One message of squawk about one file. */
export interface LintMessage {
  readonly migration: string;
  /** The line in migration.sql, counted from 1. */
  readonly line: number;
  readonly rule: string;
  readonly message: string;
  readonly help?: string;
}

/** The messages of squawk, or the reason why it could not be run. */
export type LintResult = { readonly messages: readonly LintMessage[] } | { readonly unavailable: string };

/**
 * The rules of squawk that the review replaces by its own. Those use the history and the sizes, which squawk doesn't
 * have, so squawk's messages add nothing.
 */
export const judgedRules: ReadonlySet<string> = new Set([
  "adding-field-with-default",
  "adding-foreign-key-constraint",
  "adding-not-nullable-field",
  "adding-required-field",
  "adding-serial-primary-key-field",
  "ban-alter-domain-with-add-constraint",
  "ban-concurrent-index-creation-in-transaction",
  "ban-drop-column",
  "ban-drop-database",
  "ban-drop-not-null",
  "ban-drop-table",
  "ban-truncate-cascade",
  "ban-uncommitted-transaction",
  "changing-column-type",
  "constraint-missing-not-valid",
  "disallowed-unique-constraint",
  "renaming-column",
  "renaming-table",
  "require-concurrent-index-creation",
  "require-concurrent-index-deletion",
  "require-concurrent-reindex",
  "require-concurrent-refresh-matview",
  "require-concurrent-partition-detach",
  "require-validate-constraint",
  "syntax-error",
  "transaction-nesting",
]);

/**
 * The rules of squawk that don't fit a Prisma history. The migrator sets the time-outs, a migration is one transaction,
 * and `schema.prisma` decides types, names and the order of enum values.
 */
export const unfitRules: ReadonlySet<string> = new Set([
  "ban-char-field",
  "ban-create-domain-with-constraint",
  "prefer-bigint-over-int",
  "prefer-bigint-over-smallint",
  "prefer-identity",
  "prefer-robust-stmts",
  "prefer-text-field",
  "prefer-timestamp-tz",
  "require-enum-value-ordering",
  "require-lock-timeout",
  "require-statement-timeout",
  "require-table-schema",
]);

/** Makes findings from those messages of squawk that the review has no finding of its own for. */
export function lintFindings(
  messages: readonly LintMessage[],
  plan: MigrationPlan,
  own: readonly Finding[],
): Finding[] {
  const count = new Map<string, number>();
  return messages
    .filter(({ migration, rule }) => migration === plan.name && !judgedRules.has(rule) && !unfitRules.has(rule))
    .filter(({ line, rule }) => !own.some((finding) => finding.line === line && finding.rule === rule))
    .map(({ line, rule, message, help }) => {
      const number = (count.get(rule) ?? 0) + 1;
      count.set(rule, number);
      const statement = plan.statements.filter((item) => item.line <= line).at(-1);
      return {
        id: number === 1 ? `squawk ${rule}` : `squawk ${rule} #${number}`,
        rule: `squawk/${rule}`,
        classes: ["lint"],
        severity: "warning",
        migration: plan.name,
        checksum: plan.checksum,
        ...(statement && { statement: statement.index }),
        line,
        what: message,
        who: "All that squawk's documentation of the rule names.",
        howLong: "See squawk's documentation of the rule",
        ...(help !== undefined && { safe: { migrations: [], note: help } }),
      };
    });
}
