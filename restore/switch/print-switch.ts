import { counted } from "../../text/counted";
import { table } from "../print";
import type { Move } from "../target";
import { type Change, pathText, valueText } from "./changes";
import type { SwitchPlan } from "./plan-switch";
import type { SwitchRecord } from "./record";
import { type SeenWriter, writerText } from "./writers";

/** Returns what a switch will do, before it begins. */
export function planLines(
  { record, secrets, imageWhy, notes }: SwitchPlan,
  { stack, namespace, seen, up }: { stack: string; namespace: string; seen: readonly SeenWriter[]; up: string },
): string[] {
  const { copy, move, last, image, changes } = record;
  const writers = seen.filter(({ atCopy }) => !atCopy).map(writerText);
  return [
    `Switch of stack ${stack} to ${copy}, restored to ${move.from}`,
    `  schema  ${last}`,
    `  image   ${image} (${imageWhy})`,
    "Settings:",
    ...changeLines(namespace, changes),
    ...secrets.flatMap(({ name, of, moved }) => [
      `Secret ${name}: as ${of}, and leads to the copy by ${moved.moved.join(", ")}${moved.kept.length > 0 ? `; kept as they are: ${moved.kept.join(", ")}` : ""}`,
    ]),
    writers.length > 0
      ? `Stopped until the release is rolled out: ${writers.join(", ")}`
      : "Stopped: nothing of the app runs on the source.",
    `Released by: ${up}`,
    ...notes.map((note) => `Note: ${note}`),
  ];
}

/** Returns the settings that change, as a table. */
function changeLines(namespace: string, changes: readonly Change[]): string[] {
  const text = (value: Change["value"]) => (value === undefined ? "(not set)" : valueText(value));
  const rows = changes.map(({ path, value, former }) => [`  ${pathText(namespace, path)}`, text(former), text(value)]);
  return table([["  setting", "now", "then"], ...rows]);
}

/** Returns what was done, and how to go back. */
export function switchedLines(
  { copy, image, move, changes }: SwitchRecord,
  back: string,
  file: string | undefined,
): string[] {
  return [
    `The app uses ${copy}, with ${image}.`,
    `  ${sourceName(move)} is as it was, and nothing of the app writes to it.`,
    ...(file === undefined ? [] : [`  Commit ${file}, or the next release from CI brings the old settings back.`]),
    ...(changes.some(({ path, value }) => path[1] === "until" && value !== undefined)
      ? ["  Correct the migrations that are held back, then remove migrations.until from the settings."]
      : []),
    `  To go back: ${back}`,
  ];
}

/** Returns how messages name the database that a copy was made of. */
export function sourceName({ source }: Move): string {
  return source.identifier ?? (source.database === undefined ? "the source" : `database ${source.database}`);
}

/** Returns what the way back will do, before it begins. */
export function backLines(
  { copy, changes, move, began }: SwitchRecord,
  { stack, namespace, taken, up }: { stack: string; namespace: string; taken: readonly Change[]; up: string },
): string[] {
  return [
    `Back from ${copy} to ${sourceName(move)} (stack ${stack}; the switch began ${began})`,
    `Settings: ${counted(changes.length, "setting")} as before`,
    ...changeLines(namespace, taken),
    `Released by: ${up}`,
  ];
}
