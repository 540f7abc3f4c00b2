import { resolve } from "node:path";
import { createAwsProvider } from "../../local/cloud/aws/provider";
import { createCommandProvider } from "../../local/cloud/command/provider";
import { toolsOf } from "../../local/cloud/command/tools";
import { createKubernetesProvider } from "../../local/cloud/kubernetes/provider";
import { destroy, preview, refresh, stackDirectory, up } from "../../local/engine";
import { environmentOf, plannedEnvironment, preparedFirst, prepareEnvironment } from "../../local/environment";
import * as cli from "../../local/plugin/pulumi-cli";
import { readStack } from "../../local/stack";

/** One command on one stack, as a process of its own, so that it can be killed like one. */
export interface OperationRequest {
  engine: Engine;
  verb: "up" | "preview" | "destroy" | "refresh";
  directory: string;
  stack: string;
  stateDir: string;
  /** `key=value`, as typed. */
  config: string[];
  /** Options of the Pulumi CLI alone. */
  cliFlags?: string[] | undefined;
}

export type Engine = "embedded" | "pulumi";

const EMBEDDED = { up, preview, destroy, refresh };
const CLI = { up: cli.up, preview: cli.preview, destroy: cli.destroy, refresh: cli.refresh };

/** Reads a request from the command line, prints events as lines of JSON, the last one `{"kind":"result", …}`. */
async function main(request: OperationRequest): Promise<void> {
  const { engine, verb, directory, stateDir, cliFlags } = request;
  const stack = readStack({ directory, name: request.stack, stateDir, overrides: request.config });
  const soft = new AbortController();
  const hard = new AbortController();
  process.on("SIGINT", () => {
    if (soft.signal.aborted) return hard.abort();
    soft.abort();
    print({ kind: "interrupted" });
  });
  const shared = {
    directory: resolve(directory),
    project: stack.project,
    stack: stack.name,
    config: stack.config,
    stateDir: stack.stateDir,
    onEvent: print,
    signal: soft.signal,
    hardSignal: hard.signal,
  };
  const environment = environmentOf(stack);
  const cloudDir = resolve(stackDirectory(stack.stateDir, stack.project, stack.name), "cloud");
  const providers = {
    aws: createAwsProvider(cloudDir),
    kubernetes: createKubernetesProvider(cloudDir),
    command: createCommandProvider({ environment: toolsOf(cloudDir) }),
  };
  let preparing: Promise<void> | undefined;
  const prepare = async () => {
    if (environment) preparing ??= prepareEnvironment(cloudDir, environment);
    await preparing;
  };
  const result =
    engine === "pulumi"
      ? await CLI[verb]({ ...shared, environment, flags: cliFlags })
      : await EMBEDDED[verb]({
          ...shared,
          providers: preparedFirst(providers, prepare, plannedEnvironment(cloudDir, environment)),
        });
  print({ ...result, kind: "result" });
}

function print(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

if (require.main === module) {
  main(JSON.parse(process.argv[2] ?? "") as OperationRequest).then(
    () => process.exit(0),
    (error: Error) => {
      print({ kind: "thrown", name: error.name, message: error.message });
      process.exit(1);
    },
  );
}
