import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { EngineEvent, EngineResult, StepEvent } from "../../local/engine/events";
import { eachLine } from "../../local/plugin/lines";
import type { OperationRequest } from "./operation";

/** How a command is ended before it is done. */
export interface Interruption {
  /** The first event that it is true of. */
  when(event: StepEvent): boolean;
  /** One SIGINT, two of them, or SIGKILL to the command and, with the real engine, to the CLI. */
  how: "once" | "twice" | "kill";
}

export interface Ran {
  steps: StepEvent[];
  diagnostics: string[];
  /** None: the command was killed or refused to begin. */
  result?: EngineResult;
  thrown?: string;
}

const CHECKOUT = join(__dirname, "../..");
/** Of one command: longer than any bound inside it. */
const LIMIT_MS = 300_000;

/** How a command is ended from outside, beside the end of its own. */
export interface Endings {
  interruption?: Interruption | undefined;
  /** Ends the CLI that the command has started, if it has. */
  killCli(): void;
  /** Aborted: the command is killed. */
  stopped?: AbortSignal | undefined;
}

/** @param onDiagnostic called with each message that the command tells, while it runs */
export function runOperation(
  request: OperationRequest,
  { interruption, killCli, stopped }: Endings,
  onDiagnostic: (message: string) => void,
): Promise<Ran> {
  const ran: Ran = { steps: [], diagnostics: [] };
  const child = spawn(process.execPath, ["--import", "tsx", join(__dirname, "operation.ts"), JSON.stringify(request)], {
    cwd: CHECKOUT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let pending = interruption;
  eachLine(child.stdout, (line) => {
    const event = JSON.parse(line) as
      | EngineEvent
      | ({ kind: "result" } & EngineResult)
      | Thrown
      | { kind: "interrupted" };
    if (event.kind === "step") {
      ran.steps.push(event);
      if (pending?.when(event)) {
        interrupt(child, pending.how, killCli);
        pending = undefined;
      }
    } else if (event.kind === "diagnostic") {
      ran.diagnostics.push(`${event.severity}: ${event.message}`);
      onDiagnostic(event.message);
    }
    // Two signals at once would be one: the second is sent when the first was taken.
    else if (event.kind === "interrupted" && interruption?.how === "twice") child.kill("SIGINT");
    else if (event.kind === "result") ran.result = event;
    else if (event.kind === "thrown") ran.thrown = event.message;
  });
  const kill = () => interrupt(child, "kill", killCli);
  stopped?.addEventListener("abort", kill);
  if (stopped?.aborted) kill();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      kill();
      reject(new Error(`${request.engine} ${request.verb} did not end within ${LIMIT_MS / 1000} s`));
    }, LIMIT_MS);
    child.once("close", () => {
      clearTimeout(timer);
      stopped?.removeEventListener("abort", kill);
      if (pending) ran.diagnostics.push("error: the event that was to be interrupted never came");
      resolve(ran);
    });
  });
}

interface Thrown {
  kind: "thrown";
  message: string;
}

function interrupt(child: ChildProcess, how: Interruption["how"], killCli: () => void): void {
  if (how === "kill") {
    child.kill("SIGKILL");
    killCli();
    return;
  }
  child.kill("SIGINT");
}
