import type { StoredBackup } from "../../backup/retention/choose";
import { counted } from "../../text/counted";
import type { PrunedPlace } from "./pruner";

const at = ({ begunAt }: StoredBackup) => begunAt.toISOString().slice(0, 16).replace("T", " ");

/**
 * Returns what happened to the backups of one place, in lines for people. A plan tells of each backup, the newest first;
 * a removal only of what it removed.
 */
export function placeLines(
  { title, what: noun = "backup", stay, gone, notRemoved }: PrunedPlace,
  plan: boolean,
): string[] {
  const rows = [
    ...(plan ? stay.map(({ backup, because }) => ({ backup, word: "stays", why: because })) : []),
    ...[...gone].reverse().map((backup) => ({ backup, word: plan ? "goes" : "removed", why: "" })),
  ];
  const width = Math.max(...rows.map(({ backup }) => backup.id.length));
  const what = [
    `${counted(gone.length, noun, noun === "copy" ? "copies" : undefined)} ${plan ? "would go" : "removed"}`,
    `${stay.length} ${stay.length === 1 ? "stays" : "stay"}`,
  ];
  return [
    `${title}: ${what.join(", ")}.`,
    ...rows.map(({ backup, word, why }) =>
      `  ${word.padEnd(7)}  ${backup.id.padEnd(width)}  ${at(backup)}  ${why}`.trimEnd(),
    ),
    ...notRemoved.map(({ id, reason }) => `  NOT removed: ${id}: ${reason}`),
  ];
}

/** Returns the same as one object, for a line of JSON. */
export function placeObject({ title, stay, gone, notRemoved, warnings }: PrunedPlace): object {
  return {
    place: title,
    gone: gone.map(({ id, begunAt }) => ({ id, begunAt })),
    stay: stay.map(({ backup: { id, begunAt }, because }) => ({ id, begunAt, because })),
    notRemoved,
    warnings,
  };
}
