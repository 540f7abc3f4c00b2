import { oneLine } from "../../text/printable";

/** The commands with which an operator continues, and the state of the app, for the last lines of a failed run. */
export interface Commands {
  /** The command that runs the release (or this command) again, for example `pulumi up`. */
  readonly rerun: string;
  /** Returns the command that runs a verb with its options, for example `npm run ops -- status --stack prod`. */
  readonly migrator: (verb: string) => string;
  /** The state of the app now. */
  readonly app: string;
}

/** The state of the app before the rollout, whatever fails. */
export const OLD_VERSION_SERVES = "not touched; the version that is serving goes on serving.";
/** The state of the app once the rollout is complete. */
export const NEW_VERSION_SERVES = "the new version is rolled out, and goes on serving.";

/** The state of the app while a pod waits for the migrations of its release. */
export const POD_WAITS = "this pod does not start, and Kubernetes soon asks again; pods that serve go on serving.";

/** The parts of a failure's message. */
export interface FailureText {
  /** What happened, in one sentence. */
  readonly what: string;
  /** The evidence, such as an SQL error with its caret or a list of sessions. Each entry of a list is one line. */
  readonly detail?: string | readonly string[] | undefined;
  /** The state of the database now. */
  readonly database: string;
  /** The one next command, in which `{rerun}` and {@link otherVerb} stand for {@link Commands}. */
  readonly next: string;
}

/**
 * A failure that a person can meet. Each failure has its own subclass in `failures/`, and docs/errors.md lists them. An
 * error of any other class is a defect of this program.
 */
export abstract class Failure extends Error {
  /** The stable name for scripts and for docs/errors.md. */
  abstract readonly code: string;
  /** The exit status of the process. */
  abstract readonly exit: number;
  /** The evidence. What is found out later is added before the failure is reported. */
  detail: string | undefined;
  readonly database: string;
  readonly next: string;

  constructor(text: FailureText, options?: ErrorOptions) {
    super(oneLine(text.what), options);
    this.name = new.target.name;
    this.detail = typeof text.detail === "string" ? text.detail : text.detail?.map(oneLine).join("\n");
    this.database = oneLine(text.database);
    this.next = oneLine(text.next);
  }
}

/** The state of a database in which nothing was done. */
export const UNTOUCHED = "nothing was changed.";

/** The largest number of bytes of its log that a failed pod shows (Kubernetes, MaxPodTerminationMessageLogLength). */
const TERMINATION_MESSAGE_BYTES = 2048;

/**
 * Returns the last lines of a failed run: what failed, the state of database and app, and the one next command. They
 * fit into a pod's termination message.
 */
export function closingLines(failure: Failure, commands: Commands): string {
  const next = withCommands(failure.next, commands);
  const head = `FAILED (${failure.code}): ${failure.message}`;
  const tail = [`Database: ${failure.database}`, `App: ${commands.app}`, `Next: ${next}`].join("\n");
  const room = TERMINATION_MESSAGE_BYTES - 96 - Buffer.byteLength(head) - Buffer.byteLength(tail);
  const detail = failure.detail ? shorten(failure.detail, room) : "";
  return [head, detail, tail].filter((part) => part !== "").join("\n");
}

/** Returns the text that stands for the command of another verb in {@link FailureText}. */
export function otherVerb(verb: string): string {
  return `{migrator: ${verb}}`;
}

/** Puts the commands into the next step of a failure. */
export function withCommands(next: string, { rerun, migrator }: Commands): string {
  return next
    .replaceAll("{rerun}", () => rerun)
    .replaceAll(/\{migrator: ([^}]*)\}/g, (_, verb: string) => migrator(verb));
}

function shorten(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const kept: string[] = [];
  let size = 4;
  for (const line of text.split("\n")) {
    size += Buffer.byteLength(line) + 1;
    if (size > bytes) break;
    kept.push(line);
  }
  return [...kept, "…"].join("\n");
}
