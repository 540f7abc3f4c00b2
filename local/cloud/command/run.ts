import { spawn } from "node:child_process";
import { StringDecoder } from "node:string_decoder";
import { describeProcess, killGroup } from "../process";

export interface RunOptions {
  command: string;
  /** The program and its arguments before the command. */
  interpreter: string[];
  /** The working directory; default: that of this process. */
  directory?: string | undefined;
  /** Variables that are added to the environment of this process. */
  environment: Record<string, string>;
  stdin?: string | undefined;
  /** The timeout in milliseconds; default: none. */
  timeout?: number | undefined;
  signal?: AbortSignal | undefined;
  onLine(stream: "stdout" | "stderr", line: string): void;
}

/** The command ended with an exit status other than 0, was killed, or could not be started. */
class CommandFailed extends Error {
  override readonly name = "CommandFailed";
}

/**
 * Runs a command in its own process group, so that all its processes are killed on a timeout or a cancellation.
 * @throws CommandFailed
 */
export function runCommand(options: RunOptions): Promise<{ stdout: string; stderr: string }> {
  options.signal?.throwIfAborted();
  const [program, ...args] = [...options.interpreter, options.command];
  const child = spawn(program!, args, {
    cwd: options.directory,
    env: { ...process.env, ...options.environment },
    detached: true,
    stdio: "pipe",
  });
  const record = child.pid === undefined ? undefined : describeProcess(child.pid);
  let ended: string | undefined;
  const end = (why: string) => {
    ended ??= why;
    if (record) void killGroup(record);
  };
  const onAbort = () => end("signal: killed (cancelled)");
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const seconds = (options.timeout ?? 0) / 1000;
  const timer =
    options.timeout === undefined ? undefined : setTimeout(end, options.timeout, `timed out after ${seconds}s`);

  const all: string[] = [];
  const stdout = collect(
    child.stdout,
    (text) => all.push(text),
    (line) => options.onLine("stdout", line),
  );
  const stderr = collect(
    child.stderr,
    (text) => all.push(text),
    (line) => options.onLine("stderr", line),
  );
  // A command that does not read its input closes the pipe early, which is not an error.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.stdin ?? "");

  return new Promise((resolve, reject) => {
    const settle = (failure: string | undefined) => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", onAbort);
      if (failure === undefined) return resolve({ stdout: stdout(), stderr: stderr() });
      reject(new CommandFailed(`${failure}: running ${JSON.stringify(options.command)}:\n${all.join("")}`));
    };
    child.once("error", (error) => settle(error.message));
    child.once("close", (code, by) => {
      if (ended !== undefined) settle(ended);
      else if (code === 0) settle(undefined);
      else settle(code === null ? `signal: ${by}` : `exit status ${code}`);
    });
  });
}

/** Collects a stream's text. The returned function returns the whole text without the last line break. */
function collect(
  stream: NodeJS.ReadableStream,
  onText: (text: string) => void,
  onLine: (line: string) => void,
): () => string {
  const decoder = new StringDecoder("utf8");
  let whole = "";
  let rest = "";
  const take = (text: string) => {
    whole += text;
    onText(text);
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) onLine(line);
  };
  stream.on("data", (chunk: Buffer) => take(decoder.write(chunk)));
  stream.on("end", () => {
    take(decoder.end());
    if (rest !== "") onLine(rest);
  });
  return () => whole.replace(/\n$/, "");
}
