import type { z } from "zod";
import { CHECKS } from "./checks";
import { innerOf, type SettingKey, settingKeys } from "./keys";
import { DECIDES } from "./types";

/** The settings of some groups as a Markdown table. A key without a group, such as `namespace`, counts as a group. */
export function settingsTable(groups: readonly string[]): string {
  const rows = settingKeys()
    .filter(({ key }) => groups.includes(key.split(/[.[]/)[0] ?? ""))
    .map((each) => [
      code(each.key),
      withoutIt(each),
      valuesOf(each),
      each.decidesRelease ? `${each.description} ${DECIDES}` : (each.description ?? ""),
    ]);
  return table(["key", "default", "values", "what it is"], rows);
}

/** The checks that run before a release, or those that run after its migrations, as a Markdown table. */
export function checksTable(when: string): string {
  const rows = Object.entries(CHECKS)
    .filter(([, check]) => check.when === when)
    .map(([name, { level, title, detail }]) => [code(name), level, `${title}. ${detail}`]);
  return table([when, "default", "what must be so"], rows);
}

/** The value that is used when the key is missing. */
function withoutIt({ schema, without }: SettingKey): string {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "default" || def.type === "prefault") return code(flow(def.defaultValue));
  return without ?? "required";
}

function valuesOf({ schema, values, example }: SettingKey): string {
  const { def } = (bare(schema) as z.core.$ZodTypes)._zod;
  if (def.type === "enum") return Object.keys(def.entries).map(code).join(", ");
  if (def.type === "boolean") return "`true`, `false`";
  if (def.type === "literal") return values ?? "";
  return [values, `such as ${code(flow(example))}`].filter(Boolean).join(", ");
}

function bare(schema: z.core.$ZodType): z.core.$ZodType {
  const inner = innerOf(schema);
  return inner ? bare(inner) : schema;
}

/** A value in YAML's notation for a single line. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, each]) => `${key}: ${flow(each)}`);
    return `{${entries.join(", ")}}`;
  }
  const text = String(value);
  return typeof value === "string" && /^[*@{[]|[,:] |^\d+$/.test(text) ? JSON.stringify(text) : text;
}

function code(text: string): string {
  return `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
