import { NeonError, NeonUnreachable } from "../../backup/neon/error";
import { OperationFailed } from "../../backup/neon/operations";
import { CommandFailure, EXIT } from "../failure";

/**
 * Works with Neon's API.
 * @param state the state of source and copy if the work fails
 * @param stop is aborted by Ctrl-C
 * @throws CommandFailure if Neon can't be reached, refuses, doesn't finish, or the work was interrupted
 */
export async function withNeon<T>(work: () => Promise<T>, state: string, stop: AbortSignal): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    if (stop.aborted)
      throw new CommandFailure(130, "Interrupted.", state, "the same command again: it goes on with what is there");
    throw failureOf(error as Error, state);
  }
}

function failureOf(error: Error, state: string): Error {
  const failed = (exit: number, what: string, next: string) =>
    new CommandFailure(exit, what, state, `${next}, then the same command again`);
  if (error instanceof NeonUnreachable) return failed(EXIT.account, error.message, "see that this machine reaches it");
  if (error instanceof OperationFailed)
    return failed(EXIT.failed, `Neon didn't finish it: ${error.message}.`, "see Neon's status page and console");
  if (error instanceof NeonError) return failed(EXIT.account, `Neon refused: ${error.message}`, remedyOf(error));
  if (error.name === "TimeoutError" || error.name === "AbortError")
    return failed(EXIT.failed, "Neon has not finished it within --timeout.", "see which operations run in its console");
  return error;
}

function remedyOf(error: NeonError): string {
  if (error.isBranchLimit) return "make room (`list` and `remove NAME`, or delete branches in Neon's console)";
  if (error.status === 401) return "set NEON_API_KEY to a valid key";
  if (error.status === 403) return "use the key of a member of the project";
  if (error.status === 404) return "correct backup.branch.project, or use a key of the project's organization";
  return "see to what it says";
}
