import { chooseBackups } from "../../backup/retention/choose";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import { type RdsAccess, rdsAccess } from "../../by-hand/rds/access";
import { asked, refusalOf } from "../../by-hand/rds/refusals";
import { candidates } from "../../components/release-id";
import { settingsNamespace } from "../../settings/namespace";
import { shellWord } from "../../text/shell-word";
import { type OwnSnapshot, ownSnapshot } from "./own-snapshot";
import type { NotRemoved, PrunedPlace, PruneRun } from "./pruner";
import { type ListedSnapshot, SNAPSHOT_CALLS, type SnapshotCalls } from "./rds-snapshots";

/** The share of the quota of manual snapshots from which on it is told. */
const QUOTA_TOLD = 0.8;

/** The snapshots of the stack in one region. */
interface Region {
  readonly name: string;
  readonly access: RdsAccess;
  readonly snapshots: readonly OwnSnapshot[];
}

/** Removes old snapshots of RDS: those of the database's region, and the copies in `backup.copy.region`. */
export async function pruneSnapshots(run: PruneRun): Promise<PrunedPlace[]> {
  const { stack } = run;
  const { copy } = stack.settings.backup;
  const calls = SNAPSHOT_CALLS[stack.settings.database.kind];
  const own = await lookAt(run, rdsAccess(stack), calls);
  const copies = copy ? [await lookAt(run, rdsAccess(stack, copy.region), calls)] : [];
  const copied = copies.flatMap(({ snapshots }) => snapshots.filter(({ state }) => state === "unfinished"));
  // A copy has the name of its snapshot, or one of those that follow it.
  const sources = copied.flatMap(({ series }) =>
    candidates(series.name).map((name): [string, string] => [name, "it is being copied"]),
  );
  const retention = { ...run.retention, named: new Map([...sources, ...run.retention.named]) };
  const places: PrunedPlace[] = [];
  for (const region of [own, ...copies]) places.push(await pruneRegion({ ...run, retention }, region, calls));
  return places;
}

async function lookAt({ stack }: PruneRun, access: RdsAccess, calls: SnapshotCalls): Promise<Region> {
  const { client } = access;
  const { settings, project, name } = stack;
  const region = await asked("in which region it is", client.config.region());
  const all = (await asked(`which snapshots there are in ${region}`, calls.list(client))) ?? [];
  refuseAccount(access, all);
  const owner = { project, stack: name, app: settings.app.name, database: settings.database.identifier ?? "" };
  return { name: region ?? "", access, snapshots: all.flatMap((each) => ownSnapshot(each, owner) ?? []) };
}

async function pruneRegion(
  run: PruneRun,
  { name, access: { client }, snapshots }: Region,
  calls: SnapshotCalls,
): Promise<PrunedPlace> {
  const { stay, go } = chooseBackups(snapshots, run.retention);
  const gone: OwnSnapshot[] = [];
  const notRemoved: NotRemoved[] = [];
  for (const snapshot of go) {
    if (run.stop.aborted) break;
    try {
      if (!run.plan) await calls.remove(client, snapshot.id);
      gone.push(snapshot);
    } catch (error) {
      notRemoved.push({ id: snapshot.id, reason: refusalOf(calls.removal, error) });
    }
  }
  const left = stay.length > 0 && run.retention.keep === undefined;
  const warning = await quotaWarning(run, { name, client, calls, left });
  return { title: `Snapshots in ${name}`, stay, gone, notRemoved, warnings: warning === undefined ? [] : [warning] };
}

/** Returns what to say of the quota of manual snapshots; undefined if there is enough room, or RDS doesn't say. */
async function quotaWarning(
  { stack, rerun }: PruneRun,
  { name, client, calls, left }: { name: string; client: RdsAccess["client"]; calls: SnapshotCalls; left: boolean },
): Promise<string | undefined> {
  // The right to ask is not required.
  const quota = await calls.quota(client).catch(() => undefined);
  if (!quota || quota.used < QUOTA_TOLD * quota.max) return undefined;
  const key = `${settingsNamespace(stack.project, stack.config.keys())}:backup.keep.last`;
  const next = left
    ? `pulumi config set --path ${key} 20 --stack ${shellWord(stack.name)}, and then ${rerun}`
    : `remove snapshots in ${name} that nobody needs, or raise the quota "Manual DB ${stack.settings.database.kind === "cluster" ? "cluster " : "instance "}snapshots" there`;
  return (
    `${quota.used} of ${quota.max} manual snapshots that the account may have in ${name} are used.\n` +
    "Database and app are untouched; a release with migrations fails before them once none is left.\n" +
    `Next: ${next}`
  );
}

function refuseAccount({ allowed, forbidden }: RdsAccess, [listed]: readonly ListedSnapshot[]): void {
  const account = listed?.arn.split(":")[4];
  if (account === undefined || (allowed?.includes(account) !== false && !forbidden.includes(account))) return;
  throw new CommandFailure(
    EXIT.usage,
    `The credentials belong to AWS account ${account}, which aws:allowedAccountIds or aws:forbiddenAccountIds excludes.`,
    "no backup was removed.",
    "use the credentials of an allowed account (aws:profile, AWS_PROFILE), then the same command again",
  );
}
