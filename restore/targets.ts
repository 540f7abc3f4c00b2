import { CommandFailure, EXIT } from "../by-hand/failure";
import { rdsAccess } from "../by-hand/rds/access";
import type { CommandStack } from "../by-hand/stack";
import type { Settings } from "../settings/schema";
import { DumpTarget } from "./dump/target";
import { EitherTarget } from "./either-target";
import { NeonTarget } from "./neon/target";
import { isMoment } from "./rds/moment";
import { RdsTarget, type RdsTargetArgs } from "./rds/target";
import type { IntoSecret, RestoreTarget, Say } from "./target";

/** What a target is made of. */
interface TargetArgs extends Omit<RdsTargetArgs, "access" | "database" | "commands"> {
  readonly stack: CommandStack<"backup">;
  readonly commands: RdsTargetArgs["commands"] & { readonly rerun: string };
  /** What the command line of a restore says of its backup. */
  readonly chosen: {
    readonly to: string | undefined;
    readonly identity: string | undefined;
    readonly into: IntoSecret | undefined;
  };
  readonly say: Say;
}

/** The target for each kind of backup, by `backup.mode`. Automated backups of RDS need no mode. */
const TARGETS: Record<Settings["backup"]["mode"], (args: TargetArgs) => RestoreTarget> = {
  snapshot: rds,
  none: rds,
  dump,
  branch: (args) => new NeonTarget(args),
};

function rds(args: TargetArgs): RestoreTarget {
  const { kind, identifier } = args.stack.settings.database;
  if (identifier === undefined)
    throw new CommandFailure(
      EXIT.usage,
      "database.identifier names no database of RDS, and backup.mode no other backup that this command restores.",
      undefined,
      "set database.identifier, if the database is one of RDS, or backup.mode",
    );
  return new RdsTarget({ ...args, database: { kind, identifier }, access: rdsAccess(args.stack) });
}

/** Restores dumps. A database of RDS can also be restored to a moment, from its automated backups. */
function dump(args: TargetArgs): RestoreTarget {
  const { stack, patience, commands, chosen, say } = args;
  const { backup, database } = stack.settings;
  if (!backup.dump) throw new Error("The settings let backup.mode dump pass without backup.dump.");
  const { identity, into } = chosen;
  const own = new DumpTarget({
    ...{ stack, patience, identity, into, say, rerun: commands.rerun },
    backup: { ...backup, dump: backup.dump },
  });
  if (database.identifier === undefined) return own;
  return isMoment(chosen.to) ? rds(args) : new EitherTarget(own, () => rds(args));
}

/** Returns the target that restores the backups of a stack. */
export function targetOf(args: TargetArgs): RestoreTarget {
  return TARGETS[args.stack.settings.backup.mode](args);
}
