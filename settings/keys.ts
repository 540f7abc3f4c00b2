import { globalRegistry, type z } from "zod";
import { type Section, type Settings, sections } from "./schema";
import type { About } from "./types";

type Told = Partial<Omit<About, "description">> & { readonly description?: string | undefined };

/** One key of the settings, and what a person is told of it. */
export interface SettingKey extends Told {
  /** Dotted: `app.image`; `[]` stands for a position in a list, `workloads[].name`. */
  readonly key: string;
  readonly schema: z.core.$ZodType;
}

/** Every key of the settings, in the order of the schema; groups of keys are no keys themselves. */
export function settingKeys(): SettingKey[] {
  const all = Object.entries(sections).flatMap(([section, schema]) => keysOf(schema, section));
  // The alternatives of a list have keys in common.
  return all.filter(({ key }, index) => all.findIndex((each) => each.key === key) === index);
}

function keysOf(schema: z.core.$ZodType, key: string): SettingKey[] {
  const about = aboutOf(schema);
  if (about.description !== undefined) return [{ ...about, key, schema }];
  return alternatives(schema).flatMap((each) => {
    const element = elementOf(each);
    if (element) return keysOf(element, `${key}[]`);
    const inner = Object.entries(shapeOf(each));
    return inner.length === 0 ? [{ key, schema }] : inner.flatMap(([name, value]) => keysOf(value, `${key}.${name}`));
  });
}

function aboutOf(schema: z.core.$ZodType): Told {
  const inner = innerOf(schema);
  return { ...(inner && aboutOf(inner)), ...globalRegistry.get(schema) };
}

/** The settings that decide a release, by key: each that the schema marks so. */
export function decidingSettings(settings: Settings): Record<string, unknown> {
  const keys = settingKeys().filter(({ decidesRelease }) => decidesRelease);
  return Object.fromEntries(keys.map(({ key }) => [key, valueAt(settings, key.split("."))]));
}

function valueAt(value: unknown, [key, ...rest]: string[]): unknown {
  if (key === undefined || typeof value !== "object" || value === null) return value;
  return valueAt(new Map<string, unknown>(Object.entries(value)).get(key), rest);
}

/** The keys that are allowed at a place in the settings; for a choice of objects, those of all alternatives. */
export function knownKeys([section, ...rest]: PropertyKey[]): string[] {
  let schemas: z.core.$ZodType[] = [sections[section as Section]];
  for (const key of rest)
    schemas = schemas.flatMap(alternatives).flatMap((each) => shapeOf(each)[String(key)] ?? elementOf(each) ?? []);
  return [...new Set(schemas.flatMap(alternatives).flatMap((each) => Object.keys(shapeOf(each))))];
}

/** What a type is made of, without defaults: itself, or each alternative of a choice. */
function alternatives(schema: z.core.$ZodType): z.core.$ZodType[] {
  const inner = innerOf(schema);
  if (inner) return alternatives(inner);
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === "union" ? def.options.flatMap(alternatives) : [schema];
}

/** The type that a default, or that the key may be missing, is put around. */
export function innerOf(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === "optional" || def.type === "default" || def.type === "prefault" ? def.innerType : undefined;
}

function shapeOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === "object" ? def.shape : {};
}

function elementOf(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "array") return def.element;
  return def.type === "record" ? def.valueType : undefined;
}
