import { made } from "../../by-hand/rds/refusals";
import type { PlannedCall, Say } from "../target";
import { cliCommand } from "./command-line";
import type { Patience } from "./waiting";

/** One call of a restore, with its wait. */
export interface Step extends PlannedCall {
  /** Makes the call, unless what it makes is there already, and waits until that can be used. */
  run(patience: Patience, say: Say): Promise<void>;
}

/** What a step is made of. */
interface StepArgs {
  readonly what: string;
  readonly operation: string;
  /** The parameters of the call, by the names of RDS' API. */
  readonly parameters: object;
  /** Makes the call. */
  send(): Promise<unknown>;
  /** Whether what the call makes is there already. */
  done(): Promise<boolean>;
  wait(patience: Patience, say: Say): Promise<unknown>;
}

/** The state of the databases when a call was refused. */
const UNTOUCHED = "the source is untouched; what is there of the copy stays.";

/**
 * Errors with which RDS answers a call whose effect is there already, because an earlier run made it and was killed
 * before it saw the answer.
 */
const THERE_ALREADY = /AlreadyExists/;

/** Makes a step of a call and its wait. */
export function step({ what, operation, parameters, send, done, wait }: StepArgs): Step {
  return {
    ...{ what, operation, parameters: { ...parameters } },
    typed: cliCommand(operation, { ...parameters }),
    async run(patience, say) {
      if (!(await done())) {
        say(`${operation}: ${what}`);
        const call = send().catch(async (error: Error) => {
          if (!THERE_ALREADY.test(error.name) || !(await done())) throw error;
        });
        await made(operation, call, UNTOUCHED);
      }
      await wait(patience, say);
    },
  };
}
