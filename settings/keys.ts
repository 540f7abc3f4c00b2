import { globalRegistry, type z } from "zod";
import { type Settings, sections } from "./schema";
import type { About } from "./types";

type Told = Partial<Omit<About, "description">> & { readonly description?: string | undefined };

/** One key of the settings, with its documentation. */
export interface SettingKey extends Told {
  /** The key with dots between its parts: `app.image`. `[]` stands for an index in a list: `workloads[].name`. */
  readonly key: string;
  readonly schema: z.core.$ZodType;
}

/** Every key of the settings, in the order of the schema. A group of keys isn't a key itself. */
export function settingKeys(): SettingKey[] {
  const all = Object.entries(sections).flatMap(([section, schema]) => keysOf(schema, section));
  // The alternatives of a union have some keys in common; each key is kept once.
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

/** The values, by their keys, of the settings that decide a release, which the schema marks with `decidesRelease`. */
export function decidingSettings(settings: Settings): Record<string, unknown> {
  const keys = settingKeys().filter(({ decidesRelease }) => decidesRelease);
  return Object.fromEntries(keys.map(({ key }) => [key, valueAt(settings, key.split("."))]));
}

function valueAt(value: unknown, [key, ...rest]: string[]): unknown {
  if (key === undefined || typeof value !== "object" || value === null) return value;
  return valueAt(new Map<string, unknown>(Object.entries(value)).get(key), rest);
}

/**
 * The keys that are allowed at a path; for a union of objects, the keys of all alternatives.
 *
 * @param roots the schemas by the first part of a path
 */
export function knownKeys([root, ...rest]: PropertyKey[], roots: Readonly<Record<string, z.core.$ZodType>>): string[] {
  let schemas: z.core.$ZodType[] = [roots[String(root)]!];
  for (const key of rest)
    schemas = schemas.flatMap(alternatives).flatMap((each) => shapeOf(each)[String(key)] ?? elementOf(each) ?? []);
  return [...new Set(schemas.flatMap(alternatives).flatMap((each) => Object.keys(shapeOf(each))))];
}

/** The type without its defaults: the type itself, or each alternative of a union. */
function alternatives(schema: z.core.$ZodType): z.core.$ZodType[] {
  const inner = innerOf(schema);
  if (inner) return alternatives(inner);
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === "union" ? def.options.flatMap(alternatives) : [schema];
}

/** The type inside an optional type or inside one with a default; undefined for any other type. */
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
