import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { type Cluster, clusterOptions } from "../report/reader/kubectl";
import { oneLine } from "../text/printable";
import { CommandFailure, EXIT } from "./failure";

const TRIES = 3;
const BETWEEN_TRIES_MS = 1_000;

/** The result of one call of kubectl. */
interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * kubectl where this command runs. It gets objects through its standard input, and runs in a process group of its own,
 * so that Ctrl-C in a terminal doesn't end it.
 */
export class Kubectl {
  constructor(readonly cluster: Cluster) {}

  /**
   * Runs kubectl and returns its output. A call that got no answer is repeated twice, unless it creates something.
   * @param input the text for its standard input
   * @throws CommandFailure with kubectl's own message
   */
  async run(words: readonly string[], input?: string): Promise<string> {
    for (let tried = 1; ; tried++) {
      const { status, stdout, stderr } = await this.#call([...words, "--request-timeout=20s"], input);
      if (status === 0) return stdout;
      const reason = lastLine(stderr) || `kubectl ${words[0]} ended with ${status}`;
      const answered = /Error from server|forbidden|Unauthorized|does not exist|no configuration|unknown flag/i.test(
        reason,
      );
      if (answered || input !== undefined || tried === TRIES) throw this.#failure(words, reason);
      await pause(BETWEEN_TRIES_MS);
    }
  }

  /** Runs kubectl and passes on each line of its output. The promise ends with kubectl, whatever its status is. */
  async follow(words: readonly string[], onLine: (line: string) => void): Promise<void> {
    await this.#call(words, undefined, onLine);
  }

  /** Returns a command as a person types it for this cluster. */
  typed(words: string): string {
    const { namespace, context } = this.cluster;
    return `kubectl ${words} -n ${namespace}${context === undefined ? "" : ` --context ${context}`}`;
  }

  #call(words: readonly string[], input?: string, onLine?: (line: string) => void): Promise<Ended> {
    return new Promise((resolve, reject) => {
      const child = spawn("kubectl", [...words, ...clusterOptions(this.cluster)], {
        detached: true,
        stdio: ["pipe", "pipe", "pipe"],
      });
      let stdout = "";
      let stderr = "";
      child.stderr.setEncoding("utf8").on("data", (text) => {
        stderr += text;
      });
      if (onLine) createInterface({ input: child.stdout }).on("line", onLine);
      else
        child.stdout.setEncoding("utf8").on("data", (text) => {
          stdout += text;
        });
      child.stdin.on("error", () => undefined).end(input ?? "");
      child.on("error", (error: NodeJS.ErrnoException) => {
        const what = error.code === "ENOENT" ? "kubectl is not on PATH." : `kubectl can't be run: ${error.message}`;
        reject(new CommandFailure(EXIT.cluster, what));
      });
      child.on("close", (status) => resolve({ status, stdout, stderr }));
    });
  }

  #failure(words: readonly string[], reason: string): CommandFailure {
    const { namespace, context } = this.cluster;
    const forbidden = /forbidden/i.test(reason);
    return new CommandFailure(
      EXIT.cluster,
      `kubectl ${words[0]} failed in namespace ${namespace} (context ${context ?? "of the kubeconfig"}): ${oneLine(reason)}`,
      undefined,
      forbidden
        ? "bind the Role of docs/ops.md to this user, then the same command again"
        : `see that this answers: ${this.typed("get jobs")}`,
    );
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
