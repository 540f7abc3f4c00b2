import { spawn } from "node:child_process";
import { StringDecoder } from "node:string_decoder";

/** How a command is run. */
export interface CommandOptions {
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Milliseconds. */
  readonly timeout: number;
  /** Aborted: the command is asked to stop. */
  readonly signal: AbortSignal;
  /** Tells a line of its output. Returns what of it is kept for {@link CommandEnd.last}; undefined: nothing. */
  onLine(line: string): string | undefined;
}

/** How a command ended. */
export interface CommandEnd {
  readonly outcome: "ended" | "missing" | "timed-out" | "stopped";
  /** For people: "exit status 1", "SIGKILL". Undefined: it succeeded. */
  readonly problem: string | undefined;
  /** Its last lines, oldest first. */
  readonly last: readonly string[];
}

/** From SIGTERM to SIGKILL; with the session's own end well within the 30 s that a pod is given. */
const GRACE = 12_000;
const KEPT_LINES = 30;
/** A line longer than this is told in pieces. */
const LONGEST_LINE = 8_192;

/** Runs the command with its output line by line; a signal to stop is passed on, and its end awaited. */
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
    // What it started may hold its output open for longer than it lives itself.
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
