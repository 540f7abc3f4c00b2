import { spawn } from "node:child_process";
import { StringDecoder } from "node:string_decoder";

/** The options with which a command is run. */
export interface CommandOptions {
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** The longest run of the command, in milliseconds. */
  readonly timeout: number;
  /** The signal that asks the command to stop when it is aborted. */
  readonly signal: AbortSignal;
  /**
   * Receives each line of the command's output.
   * @returns the text that is kept for {@link CommandEnd.last}; undefined: none
   */
  onLine(line: string): string | undefined;
}

/** How a command ended. */
export interface CommandEnd {
  readonly outcome: "ended" | "missing" | "timed-out" | "stopped";
  /**
   * The reason for people, such as "exit status 1" or "it was ended by SIGKILL"; undefined if the command succeeded.
   */
  readonly problem: string | undefined;
  /** The last lines of the command's output, oldest first. */
  readonly last: readonly string[];
}

/**
 * The time from SIGTERM to SIGKILL, in milliseconds. Together with the end of the session it is well within the 30 s
 * that Kubernetes gives a pod to end.
 */
const GRACE = 12_000;
const KEPT_LINES = 30;
/** The number of characters beyond which a line is passed on in pieces. */
const LONGEST_LINE = 8_192;

/**
 * Runs the command and passes on its output line by line. A signal to stop is passed to the command, and its end is
 * awaited.
 */
export function runToEnd({ command, environment, timeout, signal, onLine }: CommandOptions): Promise<CommandEnd> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  let outcome: CommandEnd["outcome"] = "ended";
  let killing: NodeJS.Timeout | undefined;
  const end = (why: "timed-out" | "stopped") => {
    if (outcome !== "ended") return;
    outcome = why;
    child.kill("SIGTERM");
    killing = setTimeout(() => child.kill("SIGKILL"), GRACE);
  };
  const stop = () => end("stopped");
  const timer = setTimeout(() => end("timed-out"), timeout);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });

  const last: string[] = [];
  const take = (line: string) => {
    const kept = onLine(line);
    if (kept !== undefined) last.push(kept);
    if (last.length > KEPT_LINES) last.shift();
  };
  for (const stream of [child.stdout, child.stderr]) eachLine(stream, take);

  return new Promise((resolve) => {
    const settle = (problem: string | undefined) => {
      clearTimeout(timer);
      clearTimeout(killing);
      signal.removeEventListener("abort", stop);
      resolve({ outcome, problem, last });
    };
    child.once("error", (error: NodeJS.ErrnoException) => {
      outcome = "missing";
      settle(error.code === "ENOENT" ? `there is no ${program}` : error.message);
    });
    // Processes that the command started may keep its output open after it has ended.
    child.once("exit", (code, by) => {
      const ended = () =>
        settle(code === 0 ? undefined : code === null ? `it was ended by ${by}` : `exit status ${code}`);
      const late = setTimeout(ended, 1000);
      child.once("close", () => {
        clearTimeout(late);
        ended();
      });
    });
  });
}

function eachLine(stream: NodeJS.ReadableStream, take: (line: string) => void): void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const add = (text: string) => {
    const lines = (rest + text).split(/\r?\n|\r/);
    rest = lines.pop()!;
    for (const line of lines) take(line);
    while (rest.length > LONGEST_LINE) {
      take(rest.slice(0, LONGEST_LINE));
      rest = rest.slice(LONGEST_LINE);
    }
  };
  stream.on("data", (chunk: Buffer) => add(decoder.write(chunk)));
  stream.on("end", () => {
    add(decoder.end());
    if (rest !== "") take(rest);
  });
}
