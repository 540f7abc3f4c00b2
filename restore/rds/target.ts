import type { DBCluster, DBInstance } from "@aws-sdk/client-rds";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import type { RdsAccess } from "../../by-hand/rds/access";
import type { CommandStack } from "../../by-hand/stack";
import type {
  CopyPurpose,
  Difference,
  ListedCopy,
  Move,
  RestoredCopy,
  RestorePlan,
  RestoreRequest,
  RestoreTarget,
  Say,
  Whereabouts,
} from "../target";
import { clusterSteps } from "./cluster-steps";
import { type Copy, copiesOf, databasesOf, listed, statusOf } from "./copies";
import { copyName, fixedCopyName, isCopyOf, memberName, nameTaken, TAGS, tagOf } from "./copy";
import { differencesOf } from "./differences";
import { instanceSteps } from "./instance-steps";
import { lookAtCluster, lookAtInstance } from "./look";
import { rehearsalModel } from "./rehearsal-model";
import { removeCopy } from "./removal";
import { chooseRestorePoint, describedPoint, type RestorePoint } from "./restore-point";
import { sameMajor } from "./snapshots";
import { described, isAurora, placeOf, readSource, type Source } from "./source";
import type { Step } from "./step";
import type { Patience } from "./waiting";

/** The plan of a restore in RDS. */
export interface RdsPlan extends RestorePlan {
  readonly calls: readonly Step[];
  readonly database: Source;
  readonly point: RestorePoint;
}

/** What the target needs besides its access to RDS. */
export interface RdsTargetArgs {
  readonly access: RdsAccess;
  readonly stack: CommandStack;
  /** The stack's own database. */
  readonly database: Pick<Source, "kind" | "identifier">;
  readonly patience: Patience;
  /** The commands that messages name. */
  readonly commands: { removal(name: string, more?: string): string; readonly list: string };
}

/** Restores snapshots of RDS, and moments between its automated backups: instances, Aurora and Multi-AZ DB clusters. */
export class RdsTarget implements RestoreTarget<RdsPlan> {
  constructor(readonly args: RdsTargetArgs) {}

  fixedName(purpose: CopyPurpose): string {
    return fixedCopyName(this.args.database.identifier, purpose);
  }

  async plan({ to, name, facts, now, rehearsal }: RestoreRequest): Promise<RdsPlan> {
    const { access, stack } = this.args;
    const database = await readSource(access, this.args.database);
    const { point, notes } = await chooseRestorePoint(access, database, to, facts, stack);
    const all = await databasesOf(access, database.kind);
    const begun = begunCopy(all, { source: database, point, name, rehearsal: rehearsal !== undefined });
    const taken = new Set(all.map((each) => each.name));
    const identifier = begun?.name ?? name ?? copyName(database.identifier, now, taken);
    if (!begun && taken.has(identifier)) throw nameTaken(identifier);
    const copy = { identifier, point, stack: stack.name, rehearsal };
    const model = rehearsal ? rehearsalModel(database, rehearsal.class) : database;
    const { account, region } = placeOf(database);
    return {
      source: described(database),
      place: `account ${account}, ${region}`,
      from: describedPoint(point),
      copy: identifier,
      exists: begun !== undefined,
      calls: model.kind === "instance" ? instanceSteps(access, model, copy) : clusterSteps(access, model, copy),
      notes: [...notes, ...notesOf(database, point)],
      ...{ database, point },
    };
  }

  async carryOut({ calls, copy, database }: RdsPlan, say: Say): Promise<RestoredCopy> {
    for (const call of calls) await call.run(this.args.patience, say);
    if (database.kind === "instance") {
      const found = await lookAtInstance(this.args.access, copy);
      return { name: copy, endpoint: endpointOf(found?.database.Endpoint?.Address, found?.database.Endpoint?.Port) };
    }
    const { Endpoint, ReaderEndpoint, Port } = (await lookAtCluster(this.args.access, copy))?.database ?? {};
    return {
      name: copy,
      endpoint: endpointOf(Endpoint, Port),
      readerEndpoint: ReaderEndpoint === undefined ? undefined : endpointOf(ReaderEndpoint, Port),
    };
  }

  async differences({ copy, database }: RdsPlan): Promise<Difference[]> {
    const { access } = this.args;
    if (database.kind === "instance") {
      const found = await lookAtInstance(access, copy);
      return found ? differencesOf(database.database, found.database) : [];
    }
    const cluster = await lookAtCluster(access, copy);
    const own = cluster ? differencesOf(database.database, cluster.database) : [];
    if (!isAurora(database.database)) return own;
    const members = await Promise.all(
      database.members.map(async (member, index) => {
        const name = memberName(copy, index);
        const found = await lookAtInstance(access, name);
        return found ? differencesOf(member, found.database, `${name}: `) : [];
      }),
    );
    return [...own, ...members.flat()];
  }

  async move(name: string): Promise<Move> {
    const { access, commands } = this.args;
    const source = await readSource(access, this.args.database);
    const found = (await copiesOf(access, source.kind)).find((each) => each.name === name.toLowerCase());
    if (!found || tagOf(found.database, TAGS.source) !== source.identifier)
      throw new CommandFailure(
        EXIT.usage,
        `There is no copy ${name} of ${described(source)}.`,
        undefined,
        `${commands.list}, then the same command with the name of a copy`,
      );
    if (statusOf(found) !== "available")
      throw new CommandFailure(
        EXIT.failed,
        `${name} is ${statusOf(found)}, and not available yet.`,
        undefined,
        "the same command, when the restore has ended",
      );
    return {
      source: whereaboutsOf(source.identifier, source.database),
      copy: whereaboutsOf(found.name, found.database),
      from: tagOf(found.database, TAGS.from) ?? "",
      isRehearsal: tagOf(found.database, TAGS.rehearsal) !== undefined,
    };
  }

  async list(): Promise<ListedCopy[]> {
    return (await copiesOf(this.args.access, this.args.database.kind)).map(listed);
  }

  async remove(name: string, unprotect: boolean, say: Say): Promise<void> {
    const { access, database, patience, commands } = this.args;
    const { kind, identifier: own } = database;
    const typed = { unprotected: commands.removal(name, "--unprotect"), list: commands.list };
    await removeCopy(name.toLowerCase(), { access, kind, own, unprotect, patience, commands: typed }, say);
  }
}

/** Returns the copy that an earlier run has begun or made; undefined if there is none. */
function begunCopy(
  all: readonly Copy[],
  {
    source,
    point,
    name,
    rehearsal,
  }: { source: Source; point: RestorePoint; name: string | undefined; rehearsal: boolean },
): Copy | undefined {
  return all.find(
    (copy) =>
      isCopyOf(copy.database, source.identifier, point) &&
      (tagOf(copy.database, TAGS.rehearsal) !== undefined) === rehearsal &&
      statusOf(copy) !== "deleting" &&
      (name === undefined || copy.name === name),
  );
}

function whereaboutsOf(identifier: string, database: DBInstance | DBCluster): Whereabouts {
  const { Endpoint: endpoint } = database;
  if (endpoint === undefined || typeof endpoint === "object")
    return { identifier, endpoint: endpointOf(endpoint?.Address, endpoint?.Port) };
  const { ReaderEndpoint, Port }: DBCluster = database as DBCluster;
  const readerEndpoint = ReaderEndpoint === undefined ? undefined : endpointOf(ReaderEndpoint, Port);
  return { identifier, endpoint: endpointOf(endpoint, Port), readerEndpoint };
}

function endpointOf(host: string | undefined, port: number | undefined): RestoredCopy["endpoint"] {
  return { host: host ?? "", port: port ?? 5432 };
}

/** Returns what a person should know of a restore before it begins. */
function notesOf(source: Source, point: RestorePoint): string[] {
  const { database }: { database: DBInstance | DBCluster } = source;
  const notes: string[] = [];
  if (point.kind === "snapshot") {
    const { snapshot } = point;
    const of = "DBInstanceIdentifier" in snapshot ? snapshot.DBInstanceIdentifier : undefined;
    const owner = of ?? ("DBClusterIdentifier" in snapshot ? snapshot.DBClusterIdentifier : undefined);
    if (owner !== undefined && owner !== source.identifier)
      notes.push(`The snapshot is of another database, ${owner}. The copy gets the settings of ${source.identifier}.`);
    if (!sameMajor(database, snapshot))
      notes.push(
        `The snapshot is of version ${snapshot.EngineVersion}, and the source has ${database.EngineVersion} now: the copy gets the default parameter groups of that version.`,
      );
  }
  if (database.MasterUserSecret)
    notes.push(
      "Secrets Manager manages the password of the source's master user. The copy's master user gets none from there; the roles of the app and of the migration keep theirs.",
    );
  if (database.IAMDatabaseAuthenticationEnabled)
    notes.push(
      "Logins by IAM: policies name the database's resource id (rds-db:connect on dbuser:ID/USER), and the copy has another one.",
    );
  if (source.kind === "cluster" && source.members.length === 0 && isAurora(source.database))
    notes.push("The source has no instance now, so the copy gets none either: there is nothing to connect to.");
  return notes;
}
