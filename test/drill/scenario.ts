import type { Label } from "./message";
import type { StackKind, Stage } from "./stage";

/** A failure that is provoked, and brought back to green by what its message says. */
export interface Scenario {
  /** The failure, as the table of docs/recovery.md names it. */
  readonly name: string;
  /** Whether it leaves the stack on another database, so that the next one needs a new stack. Default: false. */
  readonly moves?: boolean;
  /** The settings of the stage that the scenario needs. Scenarios with the same settings share a stack. */
  readonly stack?: StackKind;
  /**
   * Makes the failure happen.
   * @returns everything that the failing command has printed
   */
  provoke(stage: Stage): Promise<string>;
  /** The label behind which the message names the command. */
  readonly label: Label;
  /** What must stand in the message, besides the command. */
  readonly says: RegExp;
  /**
   * What a person does before typing the command, as the message asks for it: a file, a setting, a fault that ends. Without
   * `do` it is a change of the command itself, by `fill`.
   */
  readonly first?: { readonly what: string; do?(stage: Stage): Promise<unknown> | unknown };
  /** Fills in what the message leaves to the reader, such as the name of a migration. */
  fill?(command: string, message: string, stage: Stage): string;
  /** What must be true afterwards, besides a release that is complete and an app that answers. */
  green?(stage: Stage): Promise<string | undefined>;
}
