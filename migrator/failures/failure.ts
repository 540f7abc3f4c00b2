import { oneLine } from "../../text/printable";

/** How an operator goes on: what takes up the release again, and how this program is started by hand. */
export interface Commands {
  /** Runs the release (or this command) again, for example `pulumi up`. */
  readonly rerun: string;
  /** How a verb of this program is typed by hand, for example `npm run migrator --`. */
  readonly migrator: string;
  /** What the app is doing now. */
  readonly app: string;
}

/** Before the rollout nothing has happened to the app, whatever fails. */
export const OLD_VERSION_SERVES = "not touched; the version that is serving goes on serving.";
/** What the app is doing once the rollout is through. */
export const NEW_VERSION_SERVES = "the new version is rolled out, and goes on serving.";

/** The parts of what a person reads of a failure. */
export interface FailureText {
  /** What happened, one sentence. */
  readonly what: string;
  /** Evidence: an SQL error with its caret, a list of sessions, … A list has a line each. */
  readonly detail?: string | readonly string[] | undefined;
  /** What the database is like now. */
  readonly database: string;
  /** The one next command; `{rerun}` and `{migrator}` stand for {@link Commands}. */
  readonly next: string;
}

/**
 * A failure that a person can meet. One subclass for each, in `failures/`; docs/errors.md is the table of them.
 * An error that is none of these is a defect of this program.
 */
export abstract class Failure extends Error {
  /** Stable name for scripts and for docs/errors.md. */
  abstract readonly code: string;
  /** Exit status of the process. */
  abstract readonly exit: number;
  readonly detail: string | undefined;
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

/** Nothing at all has been done in the database. */
export const UNTOUCHED = "nothing was changed.";

/** A failed pod shows no more than this many bytes of its log (Kubernetes, MaxPodTerminationMessageLogLength). */
const TERMINATION_MESSAGE_BYTES = 2048;

/** The last lines of a failed run: what failed, the state of database and app, the one next command. They fit a pod's message. */
export function closingLines(failure: Failure, commands: Commands): string {
  const next = failure.next.replaceAll("{rerun}", commands.rerun).replaceAll("{migrator}", commands.migrator);
  const head = `FAILED (${failure.code}): ${failure.message}`;
  const tail = [`Database: ${failure.database}`, `App: ${commands.app}`, `Next: ${next}`].join("\n");
  const room = TERMINATION_MESSAGE_BYTES - 96 - Buffer.byteLength(head) - Buffer.byteLength(tail);
  const detail = failure.detail ? shorten(failure.detail, room) : "";
  return [head, detail, tail].filter((part) => part !== "").join("\n");
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
