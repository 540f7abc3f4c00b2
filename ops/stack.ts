import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { settingsNamespace } from "../settings/namespace";
import { parseSettings } from "../settings/parse";
import type { Settings } from "../settings/schema";
import { type Json, keysOf, namespaceValues, readKeys, stackConfig } from "../settings/stack-file";
import { counted } from "../text/counted";
import { EXIT, OpsFailure } from "./failure";
import type { OpsCommand } from "./options";

/** The sections of the settings that a Job by hand needs. */
const WANTED = ["namespace", "app", "database", "migrations", "review"] as const;

/** A stack, as its files describe it. */
export interface OpsStack {
  readonly name: string;
  readonly settings: Pick<Settings, (typeof WANTED)[number]>;
  /** The migrations folder, as an absolute path. */
  readonly directory: string;
  readonly context: string | undefined;
  /** The content or the path of a kubeconfig. */
  readonly kubeconfig: string | undefined;
}

/** Returns the names of the stacks that have settings in the folder of the Pulumi program. */
export function stacksIn(directory: string): string[] {
  return readdirSync(directory)
    .flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? [])
    .sort();
}

/**
 * Reads a stack's files, by the same rules as `pulumi up`, without the Pulumi CLI.
 * @param access what the command line says about the cluster and the settings; it precedes the stack's configuration
 * @throws OpsFailure that lists everything that is wrong
 */
export function readOpsStack(
  directory: string,
  name: string,
  access: Pick<OpsCommand, "context" | "kubeconfig" | "namespace">,
): OpsStack {
  const problems: string[] = [];
  const projectFile = readKeys(join(directory, "Pulumi.yaml"), problems);
  const stackFile = readKeys(join(directory, `Pulumi.${name}.yaml`), problems) ?? {};
  if (projectFile === undefined) problems.push(`There is no ${join(directory, "Pulumi.yaml")}`);
  const project = String(projectFile?.["name"] ?? "");
  const config = stackConfig(project, projectFile ?? {}, stackFile);
  const raw = namespaceValues(access.namespace ?? settingsNamespace(project, config.keys()), config);
  // The image may be known only at a release. A Job by hand doesn't run it.
  const app = { image: "unknown:0", ...keysOf(raw["app"]) };
  const read = problems.length === 0 ? parseSettings({ ...raw, app }, WANTED) : { problems };
  const given = (key: string) => plain(config.get(`kubernetes:${key}`), key, read.problems);
  const context = access.context ?? given("context");
  const kubeconfig = access.kubeconfig ?? given("kubeconfig");
  if (read.problems.length > 0 || !("settings" in read) || !read.settings)
    throw new OpsFailure(
      EXIT.usage,
      `${counted(read.problems.length, "invalid setting")} of stack "${name}".${read.problems.map((each) => `\n  - ${each}`).join("")}`,
      "not connected to; nothing was changed.",
      `correct Pulumi.${name}.yaml (every key is in docs/settings.md), then the same command again`,
    );
  return {
    name,
    settings: read.settings,
    directory: resolve(directory, read.settings.migrations.directory),
    ...{ context, kubeconfig },
  };
}

function plain(value: Json | undefined, key: string, problems: string[]): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  const encrypted = "secure" in keysOf(value);
  if (!encrypted && key === "kubeconfig") return JSON.stringify(value);
  problems.push(
    encrypted
      ? `kubernetes:${key} is encrypted, and only Pulumi can read it; pass --${key}`
      : `kubernetes:${key} is no text; pass --${key}`,
  );
  return undefined;
}
