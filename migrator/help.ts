import { OPTIONS } from "./settings";

const VERB_TEXTS = [
  ["deploy", "apply what is pending"],
  [
    "status",
    "say what is applied and what is pending; exit status 0, 10 when something is pending, 4 when deploy would refuse",
  ],
] as const;

export function helpText(): string {
  const options = Object.entries(OPTIONS).map(([name, { value, default: standard, text }]) => {
    const left = `  --${name}${value ? ` ${value}` : ""}`;
    return `${left.padEnd(32)} ${text}${standard ? ` (default ${standard})` : ""}`;
  });
  return [
    "migrator VERB [--migrations DIR | --payload DIR] [options]",
    "",
    ...VERB_TEXTS.map(([verb, text]) => `  ${verb.padEnd(10)} ${text}`),
    "",
    ...options,
    "",
    "The connection string is DIRECT_URL, or else DATABASE_URL, read as Prisma reads it.",
    "",
  ].join("\n");
}
