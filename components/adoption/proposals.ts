import type { Settings } from "../../settings/schema";
import { isMap, type Json } from "../field-conflicts";
import type { Obstacle } from "./obstacle";

/** Returns the settings that all obstacles propose, by their keys. The first proposal counts; groups are joined. */
export function merged(obstacles: readonly Obstacle[]): Record<string, Json> {
  const all: Record<string, Json> = {};
  for (const { settings = {} } of obstacles) {
    for (const [key, value] of Object.entries(settings)) {
      const before = all[key];
      all[key] = isMap(before) && isMap(value) ? { ...value, ...before } : (before ?? value);
    }
  }
  return all;
}

/** Returns the settings with the proposed ones in them, as far as they are settings of the app's or the Service's own. */
export function withSettings(settings: Settings, proposed: Record<string, Json>): Settings {
  const of = (section: string) =>
    Object.fromEntries(
      Object.entries(proposed).flatMap(([key, value]) => {
        const [first, name, ...rest] = key.split(".");
        return first === section && name !== undefined && rest.length === 0 ? [[name, value]] : [];
      }),
    );
  return { ...settings, app: { ...settings.app, ...of("app") }, service: { ...settings.service, ...of("service") } };
}

/** Returns proposed settings as they are written in a stack's file, without the namespace of the settings. */
export function proposalText(proposed: Record<string, Json>): string {
  const sections = new Map<string, string[]>();
  for (const [key, value] of Object.entries(proposed)) {
    const [section = "", ...name] = key.split(".");
    const lines = sections.get(section) ?? [];
    // A key with dots is a group inside a group, which YAML writes in one line too.
    const nested = name.slice(1).reduceRight<Json>((inner, each) => ({ [each]: inner }), value);
    sections.set(section, [...lines, `    ${name[0]}: ${JSON.stringify(nested)}`]);
  }
  return [...sections].map(([section, lines]) => `  ${section}:\n${lines.join("\n")}`).join("\n");
}
