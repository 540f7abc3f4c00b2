import { CommandFailure, EXIT } from "../by-hand/failure";
import { rdsAccess } from "../by-hand/rds/access";
import type { CommandStack } from "../by-hand/stack";
import type { Settings } from "../settings/schema";
import { RdsTarget, type RdsTargetArgs } from "./rds/target";
import type { RestoreTarget } from "./target";

/** What a target is made of. */
type TargetArgs = Omit<RdsTargetArgs, "access" | "database"> & { readonly stack: CommandStack<"backup"> };

/** The target for each kind of backup, by `backup.mode`. Automated backups of RDS need no mode. */
const TARGETS: Record<Settings["backup"]["mode"], (args: TargetArgs) => RestoreTarget> = {
  snapshot: rds,
  none: rds,
  dump: rds,
  branch: rds,
};

function rds(args: TargetArgs): RestoreTarget {
  const { kind, identifier } = args.stack.settings.database;
  if (identifier === undefined)
    throw new CommandFailure(
      EXIT.usage,
      "database.identifier names no database of RDS, and this command restores those alone.",
      undefined,
      "set database.identifier, if the database is one of RDS; a dump is restored by pg_restore",
    );
  return new RdsTarget({ ...args, database: { kind, identifier }, access: rdsAccess(args.stack) });
}

/** Returns the target that restores the backups of a stack. */
export function targetOf(args: TargetArgs): RestoreTarget {
  return TARGETS[args.stack.settings.backup.mode](args);
}
