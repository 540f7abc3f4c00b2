import { parseSettings } from "../settings/parse";
import type { Settings } from "../settings/schema";
import { counted } from "../text/counted";
import { ReleaseError } from "./release-error";

/**
 * This error lists every mistake in the settings of a stack, one on each line, with its key, value and the allowed
 * values. It is thrown before anything is changed.
 */
export class SettingsError extends ReleaseError {
  constructor(
    stack: string,
    readonly problems: string[],
  ) {
    super(
      `${counted(problems.length, "invalid setting")} in stack "${stack}". Nothing was touched: database and app are as they were.\n` +
        `${problems.map((line) => `  - ${line}`).join("\n")}\n` +
        `Correct Pulumi.${stack}.yaml (every key is in docs/settings.md) and run the same command again.`,
    );
    this.name = "SettingsError";
  }
}

/**
 * Returns the settings of a stack from the configuration that Pulumi passes to its program.
 *
 * @param config The whole configuration. It maps `project:key` to a text; objects are in JSON.
 * @param secretKeys The keys whose value was set with `--secret`. They are refused, because the manifests that are made
 *   from the settings are kept as plain text in the state and in the cluster.
 * @throws {@link SettingsError} that lists everything that is wrong
 */
export function settingsFromConfig(
  config: Record<string, string>,
  project: string,
  stack: string,
  secretKeys: string[] = [],
): Settings {
  const own = Object.entries(config).filter(([key]) => key.startsWith(`${project}:`));
  const raw = Object.fromEntries(own.map(([key, text]) => [key.slice(project.length + 1), decode(text)]));
  const secrets = secretKeys.filter((key) => key.startsWith(`${project}:`)).map((key) => key.slice(project.length + 1));
  if (secrets.length > 0) {
    // No other mistake is reported in this case, because its message could repeat the secret value.
    const how = 'put it into a Kubernetes Secret and refer to it, {secret: {name: "…", key: "…"}}';
    throw new SettingsError(
      stack,
      secrets.map(
        (key) => `${key} holds a value set with --secret, which would end up in plain text in the state; ${how}`,
      ),
    );
  }
  const { settings, problems } = parseSettings(raw);
  if (!settings) throw new SettingsError(stack, problems);
  return settings;
}

/** Parses the JSON of an object or a list; any other text is returned as it is. */
function decode(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
