import { readFileSync } from "node:fs";
import { createAwsProvider } from "../cloud/aws/provider";
import { createCommandProvider } from "../cloud/command/provider";
import { CLOUD_VARIABLE } from "../cloud/command/tools";
import { createKubernetesProvider } from "../cloud/kubernetes/provider";
import type { Provider } from "../cloud/provider";
import { type Environment, plannedEnvironment, preparedFirst, prepareEnvironment } from "../environment";
import { engineLog } from "./engine-log";
import { ENVIRONMENT_VARIABLE, type Package, QUICK_ERRORS } from "./handover";
import { servePlugin } from "./server";

const PARENT_POLL_MS = 500;

/**
 * `pulumi-resource-NAME [ENGINE]`: prints its port as the only line on stdout, and serves until the CLI that started it
 * ends.
 *
 * @throws Error when the variable with the cloud's directory is missing
 */
export async function main(name: Package, argv: string[], env: NodeJS.ProcessEnv = process.env): Promise<void> {
  // The providers' messages go to stderr, which the CLI logs, since the CLI reads the port from stdout.
  console.log = console.info = console.error;
  // The option is only for the program, not for processes that the cloud or a command starts.
  if (env["NODE_OPTIONS"]) env["NODE_OPTIONS"] = env["NODE_OPTIONS"].replace(QUICK_ERRORS, "").trim();
  const log = engineLog(argv.find((word) => !word.startsWith("-")));
  const { port } = await servePlugin({
    name,
    version: pinnedVersion(name),
    provider: prepared(providerOf(name, env, log.line), env),
    onAttach: log.attach,
  });
  endWithParent();
  process.stdout.write(`${port}\n`);
}

function providerOf(name: Package, env: NodeJS.ProcessEnv, log: (urn: string, line: string) => void): Provider {
  if (name === "command") return createCommandProvider({ log });
  const cloudDir = env[CLOUD_VARIABLE];
  if (!cloudDir) {
    throw new Error(
      `${CLOUD_VARIABLE} is not set: it names the local cloud's directory, STATE-DIR/PROJECT/STACK/cloud. ` +
        "Nothing was touched. `npm run local -- up --engine pulumi` sets it.",
    );
  }
  return name === "aws" ? createAwsProvider(cloudDir) : createKubernetesProvider(cloudDir);
}

function prepared(provider: Provider, env: NodeJS.ProcessEnv): Provider {
  const cloudDir = env[CLOUD_VARIABLE];
  const environment = env[ENVIRONMENT_VARIABLE];
  if (!cloudDir || !environment) return provider;
  const wanted = JSON.parse(environment) as Environment;
  let preparing: Promise<void> | undefined;
  const prepare = () => {
    preparing ??= prepareEnvironment(cloudDir, wanted);
    return preparing;
  };
  return preparedFirst({ provider }, prepare, plannedEnvironment(cloudDir, wanted))["provider"]!;
}

/** The version of the package that the program uses; the CLI requires the plugin to have the same one. */
function pinnedVersion(name: Package): string {
  const file = require.resolve(`@pulumi/${name}/package.json`);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

/** Ends this process when the CLI is gone, since a CLI that was killed can't end its plugins. */
function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(0);
  }, PARENT_POLL_MS).unref();
}
