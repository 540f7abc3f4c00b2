import { oneLine } from "../text/printable";
import { describe, keyOf, type Mistake, unknownKey, wrong } from "./mistakes";
import { plainSecrets } from "./plain-secrets";
import { rules } from "./rules";
import { type Section, type Settings, sections } from "./schema";

const SECTIONS = Object.keys(sections) as Section[];

/**
 * Returns the settings with their defaults, or a line for each mistake.
 *
 * @param raw the values of the release's namespace in `Pulumi.<stack>.yaml`, by their keys without it
 * @param wanted the sections to read; default: all. The other sections aren't checked.
 */
export function parseSettings<S extends Section = Section>(
  raw: Record<string, unknown>,
  wanted: readonly S[] = SECTIONS as S[],
): { settings?: Pick<Settings, S>; problems: string[] } {
  const own = Object.fromEntries(Object.entries(raw).filter(([key]) => wanted.some((section) => section === key)));
  const mistakes = Object.keys(raw)
    .filter((key) => !Object.hasOwn(sections, key))
    .map((key) => unknownKey([], key, SECTIONS));
  // A key named `__proto__` is refused, because code that reads the settings
  // would skip it or use its content as defaults.
  mistakes.push(...prototypes(own));

  const parsed: Partial<Record<Section, unknown>> = {};
  for (const section of wanted) {
    const result = sections[section].safeParse(own[section]);
    if (result.success) parsed[section] = result.data;
    else mistakes.push(...result.error.issues.flatMap((issue) => describe(issue, [section], own, sections)));
  }

  for (const { path, message } of plainSecrets(own)) {
    const key = keyOf(path);
    if (!mistakes.some((mistake) => mistake.key === key)) mistakes.push({ key, text: `${key} ${message}` });
  }
  const settings = parsed as Settings;
  for (const rule of rules) {
    if (rule.needs.every((section) => section in parsed)) {
      mistakes.push(...rule.broken(settings).map(({ path, allowed }) => wrong(path, own, allowed)));
    }
  }
  return mistakes.length > 0 ? { problems: mistakes.map(({ text }) => oneLine(text)) } : { settings, problems: [] };
}

/** Finds keys named `__proto__`, at any depth. */
function prototypes(value: unknown, path: string[] = []): Mistake[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const key = keyOf([...path, name]);
    return name === "__proto__" && path.length > 0
      ? [{ key, text: `unknown setting ${key}` }]
      : prototypes(inner, [...path, name]);
  });
}
