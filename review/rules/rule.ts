import type { PlannedStatement } from "../../migrations/history/plan";
import type { FindingClass } from "../../settings/finding-classes";
import type { Facts, JudgedStatement } from "../facts";
import type { SafeWay, Severity } from "../finding";

/** What the catalogue of rules says of one kind of finding. */
export interface RuleText {
  /** The classes that findings of this kind can have. A finding has all of them unless its draft names some. */
  readonly classes: readonly FindingClass[];
  /** A migration in which the rule finds something. */
  readonly bad: string;
  /** How to write it instead, where the rule proposes no SQL itself. */
  readonly good?: string;
  /** What happens. Default: what the rule says of `bad`. */
  readonly happens?: string;
}

/** A finding as a rule reports it; the review adds where it stands. */
export interface Draft<Id extends string = string> {
  readonly rule: Id;
  /** Default: the classes of the rule. */
  readonly classes?: readonly FindingClass[] | undefined;
  readonly severity: Severity;
  /** What it is about: `User.email`. */
  readonly target: string;
  /** Default: the line of the statement, else the first. */
  readonly line?: number | undefined;
  readonly what: string;
  readonly who: string;
  readonly howLong: string;
  readonly irreversible?: string | undefined;
  readonly safe?: SafeWay | undefined;
  /** The statement that a finding about the whole migration points to. */
  readonly at?: PlannedStatement & { readonly inside?: boolean };
  /** Reported only the first time that the migration does it. */
  readonly once?: boolean;
}

/** One rule: what it finds, and how it says so. Its functions change nothing; the same facts give the same drafts. */
export interface Rule<Id extends string = string> {
  /** Each kind of finding. More than one where they differ in little. */
  readonly finds: Readonly<Record<Id, RuleText>>;
  /** Judges a migration as a whole, by the schema before its first statement. */
  readonly opening?: (statements: readonly JudgedStatement[], facts: Facts) => readonly Draft<NoInfer<Id>>[];
  /** Judges one statement, by the schema before it. */
  readonly statement?: (statement: JudgedStatement, facts: Facts) => readonly Draft<NoInfer<Id>>[];
  /** Judges a migration as a whole, by the schema after its last statement. */
  readonly closing?: (statements: readonly JudgedStatement[], facts: Facts) => readonly Draft<NoInfer<Id>>[];
}

/** Checks the types of a rule: its drafts name only the kinds of findings that it lists. */
export function defineRule<Id extends string>(rule: Rule<Id>): Rule<Id> {
  return rule;
}
