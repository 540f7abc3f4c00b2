import type { PlannedStatement } from "../../migrations/history/plan";
import type { FindingClass } from "../../settings/finding-classes";
import type { Facts, JudgedStatement } from "../facts";
import type { SafeWay, Severity } from "../finding";

/** The entry of one kind of finding in the catalogue of rules. */
export interface RuleText {
  /** The classes that findings of this kind can have. A finding has all of them unless its draft names some. */
  readonly classes: readonly FindingClass[];
  /** A migration in which the rule finds something. */
  readonly bad: string;
  /** A better migration. Default: the SQL that the rule itself proposes. */
  readonly good?: string;
  /** A text on what happens. Default: the text of the rule's finding for `bad`. */
  readonly happens?: string;
}

/** A finding as a rule reports it. The review adds the migration and the place in it. */
export interface Draft<Id extends string = string> {
  readonly rule: Id;
  /** The classes of the finding. Default: all classes that the rule lists for this kind. */
  readonly classes?: readonly FindingClass[] | undefined;
  readonly severity: Severity;
  /** The object that the finding is about, such as `User.email`. */
  readonly target: string;
  /** The line in the file. Default: the line of the statement, or 1 if the finding is about none. */
  readonly line?: number | undefined;
  readonly what: string;
  readonly who: string;
  readonly howLong: string;
  readonly irreversible?: string | undefined;
  readonly safe?: SafeWay | undefined;
  /** The statement to which a finding about the whole migration refers. */
  readonly at?: PlannedStatement & { readonly inside?: boolean };
  /** Whether only the first such finding of the migration is reported. Default: false. */
  readonly once?: boolean;
}

/** One rule: the kinds of its findings, and the functions that make them. The functions are pure. */
export interface Rule<Id extends string = string> {
  /** The kinds of findings that the rule makes. A rule has several if they differ only a little. */
  readonly finds: Readonly<Record<Id, RuleText>>;
  /** Judges a migration as a whole, with the schema before its first statement. */
  readonly opening?: (statements: readonly JudgedStatement[], facts: Facts) => readonly Draft<NoInfer<Id>>[];
  /** Judges one statement, with the schema before it. */
  readonly statement?: (statement: JudgedStatement, facts: Facts) => readonly Draft<NoInfer<Id>>[];
  /** Judges a migration as a whole, with the schema after its last statement. */
  readonly closing?: (statements: readonly JudgedStatement[], facts: Facts) => readonly Draft<NoInfer<Id>>[];
}

/** Returns the rule unchanged. Its type makes the compiler check that the rule reports only the kinds that it lists. */
export function defineRule<Id extends string>(rule: Rule<Id>): Rule<Id> {
  return rule;
}
