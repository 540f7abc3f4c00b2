import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { findPulumi, PulumiMissing } from "../../local/plugin/pulumi-path";
import { kubectl } from "./kubectl";

/** What is missing for a run against a real cluster, and how to get it; empty when all is there. */
export async function missing(env: NodeJS.ProcessEnv = process.env): Promise<string[]> {
  const problems: string[] = [];
  try {
    findPulumi();
  } catch (error) {
    if (!(error instanceof PulumiMissing)) throw error;
    problems.push(`${error.executable} is not on PATH: install the Pulumi CLI, https://www.pulumi.com/docs/install/`);
  }
  for (const [name, { version }] of Object.entries(PLUGINS)) {
    if (pluginAt(env, name, version)) continue;
    problems.push(
      `the plugin ${name} ${version} is neither on PATH nor where Pulumi keeps its plugins: ` +
        `pulumi plugin install resource ${name} ${version}`,
    );
  }
  if (!env["KUBECONFIG"]) {
    problems.push(
      "KUBECONFIG names no cluster: kind create cluster --name release (https://kind.sigs.k8s.io), then " +
        "kind get kubeconfig --name release > kubeconfig && export KUBECONFIG=$PWD/kubeconfig",
    );
  } else {
    await kubectl(["get", "--raw", "/readyz"]).catch((error: Error) =>
      problems.push(`the cluster that KUBECONFIG names does not answer kubectl: ${error.message.split("\n").at(-2)}`),
    );
  }
  for (const [name, what] of Object.entries(IMAGES)) {
    if (!env[name]) problems.push(`${name} is not set: ${what}`);
  }
  return problems;
}

/** Pulumi's own; that of AWS is the local cloud's. */
const PLUGINS: Record<string, { version: string }> = {
  kubernetes: require("@pulumi/kubernetes/package.json"),
  command: require("@pulumi/command/package.json"),
};

const IMAGES = {
  E2E_APP_IMAGE:
    "the app's repository on the cluster's nodes, with the tags 1.0.0, 1.1.0 and 1.2.0: for each, " +
    "docker build --build-arg VERSION=TAG --tag notes:TAG examples/app && kind load docker-image notes:TAG --name release; " +
    "export E2E_APP_IMAGE=notes",
  E2E_NODE_IMAGE: "a Node.js image for the migration Job that the nodes can get: export E2E_NODE_IMAGE=node:22-alpine",
};

function pluginAt(env: NodeJS.ProcessEnv, name: string, version: string): boolean {
  const home = env["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
  const folders = [...(env["PATH"] ?? "").split(delimiter), join(home, "plugins", `resource-${name}-v${version}`)];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, `pulumi-resource-${name}`), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
