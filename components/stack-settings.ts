import { settingsNamespace } from "../settings/namespace";
import { parseSettings } from "../settings/parse";
import { isProviderKey, type ProviderSettings, parseProviders } from "../settings/providers/providers";
import type { Settings } from "../settings/schema";
import { counted } from "../text/counted";
import { ReleaseError } from "./release-error";

/**
 * This error lists every mistake in the settings of a stack, one on each line, with its key, value and the allowed
 * values. It is thrown before anything is changed.
 */
export class SettingsError extends ReleaseError {
  /** @param namespace The namespace of the settings, if it isn't the project's own. */
  constructor(
    stack: string,
    readonly problems: string[],
    namespace?: string,
  ) {
    const keys = namespace === undefined ? "" : `the keys begin with "${namespace}:"; `;
    super(
      `${counted(problems.length, "invalid setting")} in stack "${stack}". Nothing was touched: database and app are as they were.\n` +
        `${problems.map((line) => `  - ${line}`).join("\n")}\n` +
        `Correct Pulumi.${stack}.yaml (${keys}every key is in docs/settings.md) and run the same command again.`,
    );
    this.name = "SettingsError";
  }
}

/** The stack whose configuration contains the settings of a release. */
export interface SettingsSource {
  project: string;
  stack: string;
  /**
   * The namespace of the settings, such as `release` for the key `release:app`. Every key in it must be a setting; all
   * other keys belong to the program. Default: the result of {@link settingsNamespace}, usually `release`.
   */
  namespace?: string | undefined;
  /**
   * The keys whose value was set with `--secret`. They are refused, because the manifests that are made from the
   * settings are kept as plain text in the state and in the cluster. Default: none.
   */
  secretKeys?: readonly string[];
  /** The image of the app, which replaces the setting `app.image`. */
  image?: string | undefined;
  /**
   * Whether the program rolls out workloads of its own, so that settings of the Service and of other workloads would
   * have no effect. Default: false.
   */
  ownWorkloads?: boolean;
}

/** The settings of a release and those of the providers that it uses. */
export interface ReleaseConfig {
  settings: Settings;
  providers: ProviderSettings;
}

/**
 * Returns the settings of a stack and of the providers from the configuration that Pulumi passes to its program.
 *
 * @param config The whole configuration. It maps `namespace:key` to a text; objects are in JSON.
 * @throws {@link SettingsError} that lists everything that is wrong
 */
export function releaseConfig(config: Record<string, string>, source: SettingsSource): ReleaseConfig {
  const raw = valuesOf(config, isProviderKey);
  const { providers, mistakes } = parseProviders(raw, source.secretKeys);
  const { settings, problems } = readSettings(config, source);
  if (settings && providers) return { settings, providers };
  throw new SettingsError(source.stack, [...problems, ...mistakes.map(({ text }) => text)], stated(config, source));
}

/**
 * Returns the settings of a stack alone, for a program that configures its providers itself.
 *
 * @param config The whole configuration. It maps `namespace:key` to a text; objects are in JSON.
 * @throws {@link SettingsError} that lists everything that is wrong
 */
export function settingsFromConfig(config: Record<string, string>, source: SettingsSource): Settings {
  const { settings, problems } = readSettings(config, source);
  if (!settings) throw new SettingsError(source.stack, problems, stated(config, source));
  return settings;
}

/** Returns the namespace in which the settings of a release are. */
function namespaceOf(config: Record<string, string>, { project, namespace }: SettingsSource): string {
  return namespace ?? settingsNamespace(project, Object.keys(config));
}

/** Returns the namespace if messages must name it, because it isn't the project's own. */
function stated(config: Record<string, string>, source: SettingsSource): string | undefined {
  const namespace = namespaceOf(config, source);
  return namespace === source.project ? undefined : namespace;
}

function readSettings(config: Record<string, string>, source: SettingsSource): ReturnType<typeof parseSettings> {
  const { stack, secretKeys = [] } = source;
  const prefix = `${namespaceOf(config, source)}:`;
  const own = (key: string) => key.startsWith(prefix);
  const secrets = secretKeys.filter(own).map((key) => key.slice(prefix.length));
  if (secrets.length > 0) {
    // No other mistake is reported in this case, because its message could repeat the secret value.
    const how = 'put it into a Kubernetes Secret and refer to it, {secret: {name: "…", key: "…"}}';
    throw new SettingsError(
      stack,
      secrets.map(
        (key) => `${key} holds a value set with --secret, which would end up in plain text in the state; ${how}`,
      ),
      stated(config, source),
    );
  }
  const raw = Object.entries(valuesOf(config, own)).map(([key, value]) => [key.slice(prefix.length), value] as const);
  const { settings, problems } = parseSettings(withImage(Object.fromEntries(raw), source.image));
  const idle = source.ownWorkloads ? raw.filter(([key]) => key === "service" || key === "workloads") : [];
  if (settings && idle.length === 0) return { settings, problems };
  const why = "must be left out, because the program rolls out its own workloads";
  return { problems: [...problems, ...idle.map(([key]) => `${key} ${why}`)] };
}

function withImage(raw: Record<string, unknown>, image: string | undefined): Record<string, unknown> {
  const { app } = raw;
  return image === undefined || typeof app !== "object" ? raw : { ...raw, app: { ...app, image } };
}

/** Returns the values of the keys that are wanted; objects and lists are parsed. */
function valuesOf(config: Record<string, string>, wanted: (key: string) => boolean): Record<string, unknown> {
  const entries = Object.entries(config).filter(([key]) => wanted(key));
  return Object.fromEntries(entries.map(([key, text]) => [key, decode(text)]));
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
