import { type CommandStack, invalidSettings } from "../../by-hand/stack";
import { settingsNamespace } from "../../settings/namespace";
import { parseSettings } from "../../settings/parse";
import { type Json, keysOf, namespaceValues } from "../../settings/stack-file";
import { type Change, withChanges } from "./changes";

/** The sections of the settings that a switch reads besides those of every command. */
export const SWITCH_SECTIONS = ["backup", "workloads", "release"] as const;

/** A stack with the settings that a switch reads. */
export type SwitchStack = CommandStack<(typeof SWITCH_SECTIONS)[number]>;

/** Returns the namespace of a stack's settings. */
export function namespaceOf({ project, config }: SwitchStack, given: string | undefined): string {
  return given ?? settingsNamespace(project, config.keys());
}

/** Returns a stack's settings as they are written, by section. */
export function rawSettings({ config }: SwitchStack, namespace: string): Record<string, Json> {
  return namespaceValues(namespace, config);
}

/**
 * Returns the stack as it is with other settings.
 * @throws CommandFailure if the settings would be wrong
 */
export function withSettings(stack: SwitchStack, namespace: string, changes: readonly Change[]): SwitchStack {
  const raw = withChanges(rawSettings(stack, namespace), changes);
  const app = { image: "unknown:0", ...keysOf(raw["app"]) };
  const sections = ["namespace", "app", "database", "migrations", "review", "drift", ...SWITCH_SECTIONS] as const;
  const { settings, problems } = parseSettings({ ...raw, app }, [...sections]);
  if (!settings) throw invalidSettings(stack.name, problems);
  const config = new Map(stack.config);
  for (const [section, value] of Object.entries(raw)) config.set(`${namespace}:${section}`, value);
  return { ...stack, settings, config };
}
