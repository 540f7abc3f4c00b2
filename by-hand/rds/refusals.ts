import { oneLine } from "../../text/printable";
import { CommandFailure, EXIT } from "../failure";

/**
 * Returns the answer to a question to RDS.
 * @param what what is asked, as the end of "RDS did not say …"
 * @param missing the names of errors that say that there is no such thing
 * @returns undefined if there is no such thing
 * @throws CommandFailure if RDS can't be asked
 */
export async function asked<T>(
  what: string,
  answer: Promise<T>,
  missing: readonly string[] = [],
): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (missing.includes((error as Error).name)) return undefined;
    throw new CommandFailure(EXIT.account, `RDS did not say ${what}: ${reasonOf(error)}`, undefined, remedyOf(error));
  }
}

/**
 * Makes a call that changes something.
 * @param state the state of source and copy if the call fails
 * @throws CommandFailure if RDS refuses it
 */
export async function made<T>(operation: string, call: Promise<T>, state: string): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw new CommandFailure(EXIT.account, refusalOf(operation, error), state, remedyOf(error));
  }
}

/** Returns why a call was refused, in one line. */
export function refusalOf(operation: string, error: unknown): string {
  return `RDS refused ${operation}: ${reasonOf(error)}`;
}

function reasonOf(error: unknown): string {
  const { name, message } = error as Error;
  return oneLine(name === "Error" || message.startsWith(name) ? message : `${name}: ${message}`);
}

/** What a person can do about an error, by its name or text; the first that matches counts. */
const REMEDIES: readonly [pattern: RegExp, remedy: string][] = [
  [
    /AccessDenied|UnauthorizedOperation|not authorized/i,
    "give the role that action (docs/recovery.md and docs/backup.md list all of them), then the same command again",
  ],
  [
    /CredentialsProviderError|Could not load credentials|ExpiredToken|InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient/i,
    "log in (aws sso login, AWS_PROFILE or aws:profile), then the same command again",
  ],
  [/Region is missing/i, "set aws:region of the stack, or AWS_REGION, then the same command again"],
  [/KMSKey|kms:/i, "give the role kms:CreateGrant and kms:DescribeKey on the key, then the same command again"],
  [
    /QuotaExceeded|InsufficientDB|InstanceQuota|StorageQuota/i,
    "make room (remove an older copy: `list` and `remove NAME`), or raise the quota, then the same command again",
  ],
];

function remedyOf(error: unknown): string {
  const text = `${(error as Error).name} ${(error as Error).message}`;
  return REMEDIES.find(([pattern]) => pattern.test(text))?.[1] ?? "see to what it says, then the same command again";
}
