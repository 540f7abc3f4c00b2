import { rdsAccess } from "../by-hand/rds/access";
import type { CommandStack } from "../by-hand/stack";
import { commandByHand } from "../by-hand/typed-command";
import { DumpTarget } from "../restore/dump/target";
import { NeonTarget } from "../restore/neon/target";
import { RdsTarget } from "../restore/rds/target";
import type { IntoSecret, RestoreTarget, Say } from "../restore/target";
import { shellWord } from "../text/shell-word";
import type { RehearsalSource } from "./stack";

/** What a target is made of. */
export interface TargetArgs {
  readonly stack: CommandStack<"backup" | "rehearsal">;
  /** The longest wait for one step, in milliseconds, and what ends it. */
  readonly timeout: number;
  readonly stop: AbortSignal;
  /** The file with the private key of age, for an encrypted dump. */
  readonly identity?: string | undefined;
  readonly say: Say;
}

/** Returns the target that makes and removes the copy of a rehearsal. */
export function rehearsalTarget(from: RehearsalSource, args: TargetArgs): RestoreTarget {
  const { stack, timeout, stop, identity, say } = args;
  const typed = (...words: string[]) =>
    `${commandByHand("restore")} ${words.join(" ")} --stack ${shellWord(stack.name)}`;
  const removal = (name: string, ...more: string[]) => typed("remove", name, ...more);
  const patience = { timeout, stop, removal };
  const commands = { removal, list: typed("list") };
  if (from === "branch") return new NeonTarget({ stack, patience, commands });
  const { backup, rehearsal, database } = stack.settings;
  if (from === "dump" && backup.dump && rehearsal.into)
    return new DumpTarget({
      ...{ stack: onServerOf(stack, rehearsal.into), patience, identity, into: undefined, say },
      ...{ backup: { ...backup, dump: backup.dump }, rerun: "the same command again" },
    });
  if (database.identifier === undefined) throw new Error(`The settings let rehearsal.from ${from} pass without RDS.`);
  const { kind, identifier } = database;
  return new RdsTarget({ stack, patience, commands, database: { kind, identifier }, access: rdsAccess(stack) });
}

/** Returns the stack as if its database were that of a Secret, which is on another server. */
export function onServerOf<S extends CommandStack>(stack: S, { secret, key }: IntoSecret): S {
  const { kind, parameters, env } = stack.settings.database;
  const database = {
    ...{ kind, parameters, env, endpointCheck: "off" as const, auth: "password" as const },
    secret: { name: secret, appKey: key, migrationKey: key },
    migration: { secret: {}, file: {} },
  };
  return { ...stack, settings: { ...stack.settings, database } };
}
