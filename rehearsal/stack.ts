import { CommandFailure, EXIT } from "../by-hand/failure";
import type { CommandStack } from "../by-hand/stack";
import { SWITCH_SECTIONS } from "../restore/switch/stack";
import type { RestoreTarget } from "../restore/target";
import { rehearsalSource } from "../settings/rehearsal-rules";
import type { Settings } from "../settings/schema";

/** The sections of the settings that a rehearsal reads besides those of every command. */
export const REHEARSAL_SECTIONS = [...SWITCH_SECTIONS, "rehearsal"] as const;

/** A stack with the settings that a rehearsal reads. */
export type RehearsalStack = CommandStack<(typeof REHEARSAL_SECTIONS)[number]>;

/** What a copy is made of. */
export type RehearsalSource = NonNullable<Settings["rehearsal"]["from"]>;

/** The label of a rehearsal's Jobs, by which the next one finds what one that was killed has left. */
export const SUBJECT = "rehearsal";

/** The image that the settings have if only a program knows the app's. */
const UNKNOWN_IMAGE = "unknown:0";

/**
 * Returns what a rehearsal by hand restores.
 * @throws CommandFailure if the settings name nothing that can be restored, or the rehearsal can't be made with them
 */
export function sourceOf({ name, settings }: RehearsalStack): RehearsalSource {
  const { rehearsal, database, app, migrations } = settings;
  const refuse = (what: string, next: string) =>
    new CommandFailure(
      EXIT.usage,
      what,
      "not connected to; nothing was changed.",
      `${next}, then the same command again`,
    );
  const from = rehearsalSource(settings, false);
  if (from === undefined)
    throw refuse(
      `There is no backup of stack "${name}" that could be restored: backup.mode is "none", and database.identifier names no database of RDS.`,
      "set backup.mode, or database.identifier",
    );
  if (from === "dump" && !rehearsal.into)
    throw refuse(
      "rehearsal.into is missing: a dump is restored on another server, because it would load production's own.",
      "set rehearsal.into.secret to a Secret with the URL of a database on another server",
    );
  if (database.file)
    throw refuse(
      "The connection is in files of the CSI driver (database.file), which can't be made to lead to a copy.",
      "rehearse with a stack whose connection is in a Secret, or set database.secret",
    );
  if (app.image === UNKNOWN_IMAGE && (rehearsal.command || migrations.runner === "command"))
    throw refuse(
      `Pulumi.${name}.yaml has no app.image, in which ${rehearsal.command ? "rehearsal.command" : "migrations.command"} runs.`,
      "set app.image",
    );
  return from;
}

/** The name of the Secret that leads to the copy. A second one, if there is one, has `-migration` at its end. */
export function rehearsalSecretName(app: string): string {
  return `${app}-rehearsal`;
}

/** Returns the name of the copy, which is always the same. */
export function copyName(target: RestoreTarget): string {
  return target.fixedName("rehearsal");
}
