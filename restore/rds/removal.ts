import {
  DeleteDBClusterCommand,
  DeleteDBInstanceCommand,
  ModifyDBClusterCommand,
  ModifyDBInstanceCommand,
} from "@aws-sdk/client-rds";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import type { RdsAccess } from "../../by-hand/rds/access";
import { made } from "../../by-hand/rds/refusals";
import type { Say } from "../target";
import { type Copy, copiesOf, statusOf } from "./copies";
import { lookAtInstance } from "./look";
import { instances, isAurora, type Source } from "./source";
import { interruptible, type Patience, untilGone } from "./waiting";

/** What a removal needs to know besides the name. */
interface RemovalArgs {
  readonly access: RdsAccess;
  readonly kind: Source["kind"];
  /** The identifier of the stack's own database, which is never removed, even if it was once restored. */
  readonly own: string;
  readonly unprotect: boolean;
  readonly patience: Patience;
  /** The command with `--unprotect`, and the one that lists the copies, for messages. */
  readonly commands: { readonly unprotected: string; readonly list: string };
}

const NOTHING = "nothing was deleted.";

/** The time between two looks at a database that can't be deleted yet, in milliseconds. */
const POLL_MS = 2_000;

/**
 * Deletes a copy with its automated backups, and without a final snapshot: the backup that it was made of is kept.
 * @throws CommandFailure if it is no copy, or protected from deletion
 */
export async function removeCopy(name: string, args: RemovalArgs, say: Say): Promise<void> {
  const { access, kind, patience } = args;
  const copy = await removable(name, args);
  const status = async () => {
    const found = (await copiesOf(access, kind)).find((each) => each.name === name);
    return found && statusOf(found);
  };
  await whenSettled(name, status, patience, say);
  if (copy.database.DeletionProtection) await lift(access, copy);
  if (copy.kind === "instance") await deleteInstance(access, name, statusOf(copy));
  else {
    // RDS deletes the instances of a Multi-AZ DB cluster with it. Those of an Aurora cluster must go first.
    if (isAurora(copy.database))
      for (const { DBInstanceIdentifier: member = "" } of await membersOf(access, name)) {
        const look = async () => (await lookAtInstance(access, member))?.status;
        await whenSettled(member, look, patience, say);
        await deleteInstance(access, member, (await look()) ?? "");
      }
    if (statusOf(copy) !== "deleting") await deleteCluster(access, name);
  }
  await untilGone(name, status, patience, say);
}

/** The states in which RDS refuses to delete a database, and which end by themselves. */
const PASSING = /^(creating|backing-up|modifying|starting|rebooting|upgrading|configuring-.*|resetting-.*|renaming)$/;

/**
 * Waits while a database is being made or changed, because RDS deletes none that is.
 * @param look returns its state; undefined: it is gone
 */
async function whenSettled(
  name: string,
  look: () => Promise<string | undefined>,
  { timeout, stop }: Patience,
  say: Say,
): Promise<void> {
  const began = Date.now();
  let told = "";
  for (let status = await look(); PASSING.test(status ?? "") && Date.now() - began < timeout; status = await look()) {
    if (status !== told) say(`  ${name}: ${status}; RDS deletes it when that is over`);
    told = status ?? "";
    await interruptible(POLL_MS, name, stop);
  }
}

async function deleteCluster({ client }: RdsAccess, name: string): Promise<void> {
  const call = client.send(
    new DeleteDBClusterCommand({
      ...{ DBClusterIdentifier: name, SkipFinalSnapshot: true, DeleteAutomatedBackups: true },
    }),
  );
  await made("DeleteDBCluster", unlessGone(call), `${name} is there still.`);
}

async function removable(name: string, { access, kind, own, unprotect, commands }: RemovalArgs): Promise<Copy> {
  if (name === own)
    throw new CommandFailure(EXIT.usage, `${name} is the database of the stack.`, NOTHING, commands.list);
  const copy = (await copiesOf(access, kind)).find((each) => each.name === name);
  if (!copy)
    throw new CommandFailure(
      EXIT.usage,
      `No ${kind} of that name was made by a restore: ${name} (it would carry the tag postgres-release:restore).`,
      NOTHING,
      commands.list,
    );
  if (copy.database.DeletionProtection && !unprotect)
    throw new CommandFailure(
      EXIT.usage,
      `${name} is protected from deletion, as its source is.`,
      NOTHING,
      commands.unprotected,
    );
  return copy;
}

async function lift({ client }: RdsAccess, { kind, name }: Copy): Promise<void> {
  const off = { DeletionProtection: false, ApplyImmediately: true };
  if (kind === "instance")
    await made(
      "ModifyDBInstance",
      client.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: name, ...off })),
      NOTHING,
    );
  else
    await made(
      "ModifyDBCluster",
      client.send(new ModifyDBClusterCommand({ DBClusterIdentifier: name, ...off })),
      NOTHING,
    );
}

function membersOf(access: RdsAccess, cluster: string) {
  return instances(access, { Filters: [{ Name: "db-cluster-id", Values: [cluster] }] });
}

async function deleteInstance({ client }: RdsAccess, name: string, status: string): Promise<void> {
  if (status === "deleting") return;
  const call = client.send(
    new DeleteDBInstanceCommand({
      ...{ DBInstanceIdentifier: name, SkipFinalSnapshot: true, DeleteAutomatedBackups: true },
    }),
  );
  await made("DeleteDBInstance", unlessGone(call), `${name} is there still.`);
}

/** Passes on a deletion. An error that says that the database is gone, or goes, is its success. */
async function unlessGone(call: Promise<unknown>): Promise<void> {
  await call.catch((error: Error) => {
    if (!/NotFound/.test(error.name) && !/already being deleted|deleting/.test(error.message)) throw error;
  });
}
