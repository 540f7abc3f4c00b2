import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createAwsProvider } from "../cloud/aws/provider";
import { createCommandProvider } from "../cloud/command/provider";
import { CLOUD_VARIABLE } from "../cloud/command/tools";
import { createKubernetesProvider } from "../cloud/kubernetes/provider";
import type { Provider } from "../cloud/provider";
import { type Environment, preparedFirst, prepareEnvironment } from "../environment";
import { engineLog } from "./engine-log";
import { ENVIRONMENT_VARIABLE, type Package, QUICK_ERRORS } from "./handover";
import { servePlugin } from "./server";

const PARENT_POLL_MS = 500;

/**
 * `pulumi-resource-NAME [ENGINE]`: prints its port as the only line on stdout, serves until the CLI that started it ends.
 *
 * @throws Error when the variable that names the cloud is missing
 */
export async function main(name: Package, argv: string[], env: NodeJS.ProcessEnv = process.env): Promise<void> {
  // Whatever the providers print belongs into the CLI's log; stdout is read as the port.
  console.log = console.info = console.error;
  // Meant for the program alone, not for what the cloud or a command starts.
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
  let preparing: Promise<void> | undefined;
  const prepare = () => {
    preparing ??= prepareEnvironment(cloudDir, JSON.parse(environment) as Environment);
    return preparing;
  };
  return preparedFirst({ provider }, prepare)["provider"]!;
}

/** Of the package as the program uses it, so that the CLI finds in the plugin the version it asks for. */
function pinnedVersion(name: Package): string {
  const manifest = JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  return manifest.dependencies[`@pulumi/${name}`]!;
}

/** A CLI that was killed can't end its plugins. */
function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(0);
  }, PARENT_POLL_MS).unref();
}
