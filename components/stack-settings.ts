import { parseSettings } from "../settings/parse";
import type { Settings } from "../settings/schema";
import { counted } from "../text/counted";
import { ReleaseError } from "./release-error";

/** Every mistake in the settings of a stack, one line each: key, value, what is allowed. Nothing has been touched. */
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
 * The settings of a stack, from the configuration that Pulumi hands to its program.
 *
 * @param config all of it, `project:key` → text; objects as JSON
 * @param secretKeys the keys that hold a value set with `--secret`: refused, for the manifests made of the settings are
 *   kept in the state and in the cluster in plain text
 * @throws {@link SettingsError} with everything that is wrong
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
    // Nothing else is said of them: a message could repeat the value.
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

/** Objects and lists arrive as JSON; anything else is a text. */
function decode(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
