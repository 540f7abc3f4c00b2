import { type DatabaseAccess, type DatabaseRole, databaseAccess } from "../settings/database-access";
import { parseSettings } from "../settings/parse";
import { plannedInstance } from "./cloud/aws/functions";
import { findConnection } from "./cloud/aws/instance";
import { connect } from "./cloud/client";
import { referenceTo } from "./cloud/kubernetes/object";
import type { CreateRequest, InvokeRequest, Properties, Provider, UpdateRequest } from "./cloud/provider";
import { databaseObjects, secretOf, storeSecret, volumeClaim } from "./database-objects";
import type { Stack } from "./stack";

/**
 * The resources on AWS that exist before a release begins, as named by the stack's settings: the database and the
 * Secrets with its connections. They are not in the Pulumi program, because a release does not create them.
 */
export interface Environment {
  identifier: string;
  kind: "instance" | "cluster";
  /** The database on that server; its name comes from the app's name. */
  database: string;
  namespace: string;
  /** Where the settings say that each role finds its connection. */
  access: Record<DatabaseRole, DatabaseAccess>;
  /** The place for dumps, if a release takes one. */
  dumps?: DumpPlace | undefined;
  /** The project of Neon that a release makes its branches in, if it makes any. */
  neon?: NeonPlace | undefined;
  /** The region of the database, by `aws:region`; undefined if the settings name none. */
  region?: string | undefined;
  /** Whether a release runs commands that ask the cloud: it removes old backups, or rehearses its migrations. */
  runsCommands: boolean;
  /** Whether the database has automated backups, by `local:pointInTime`. They cost a second server process and space. */
  pointInTime: boolean;
}

/** The bucket for dumps with the Secret of its access key, or the name of a PersistentVolumeClaim. */
interface DumpPlace {
  bucket?: string | undefined;
  secret?: { name: string; accessKeyIdKey: string; secretAccessKeyKey: string } | undefined;
  claim?: string | undefined;
}

/** The project of Neon with the Secret of its API key. */
interface NeonPlace {
  project: string;
  secret: { name: string; key: string };
}

/** Undefined if the settings do not name a valid database; the program reports that problem itself. */
export function environmentOf({ settings: raw, config }: Pick<Stack, "settings" | "config">): Environment | undefined {
  const { settings } = parseSettings(raw, ["app", "database", "namespace", "backup", "rehearsal"]);
  if (!settings) return undefined;
  const { database, namespace, backup, rehearsal } = settings;
  const access = { app: databaseAccess(database, "app"), migration: databaseAccess(database, "migration") };
  const { identifier = `${settings.app.name}-db`, kind } = database;
  const region = config["aws:region"];
  const pointInTime = config["local:pointInTime"] === "true";
  const dumps = backup.mode === "dump" ? dumpPlaceOf(backup.dump) : undefined;
  return {
    identifier,
    kind,
    access,
    database: settings.app.name.replaceAll("-", "_"),
    namespace,
    dumps,
    neon: backup.mode === "branch" ? backup.branch : undefined,
    region,
    runsCommands: backup.keep !== undefined || rehearsal.mode === "copy",
    pointInTime,
  };
}

/** A store that the settings give an address of is somebody else's, so nothing is made there. */
function dumpPlaceOf({
  to = "",
  endpoint,
  secret,
  claim,
}: Omit<DumpPlace, "bucket"> & { to?: string | undefined; endpoint?: string | undefined } = {}): DumpPlace {
  return { bucket: endpoint === undefined ? /^s3:\/\/([^/]+)/.exec(to)?.[1] : undefined, secret, claim };
}

/** Creates and starts the missing parts of the environment; it is quick if nothing is missing. */
export async function prepareEnvironment(cloudDir: string, environment: Environment): Promise<void> {
  const { identifier, kind, namespace, access, dumps, neon, region, pointInTime } = environment;
  // An app that was renamed keeps its existing database.
  const database = findConnection(cloudDir, kind, identifier)?.database ?? environment.database;
  const cloud = await connect(cloudDir);
  const instance = await cloud.call("aws.ensureInstance", { identifier, kind, database, region, pointInTime });
  const urls = { app: instance.appUrl, migration: instance.adminUrl };
  for (const object of databaseObjects(namespace, access, urls)) {
    // A Secret that a switch to a restored database has made is not the environment's own.
    const there = await cloud.call("kubernetes.get", referenceTo(object));
    if (there?.metadata.labels?.["release/restored-copy"] === undefined)
      await cloud.call("kubernetes.apply", { object });
  }
  if (dumps?.bucket !== undefined) {
    const key = await cloud.call("s3.ensureBucket", { bucket: dumps.bucket });
    if (dumps.secret) await cloud.call("kubernetes.apply", { object: storeSecret(namespace, dumps.secret, key) });
  }
  if (neon) {
    const { key } = await cloud.call("neon.ensureProject", { project: neon.project, identifier });
    await cloud.call("kubernetes.apply", { object: secretOf(namespace, neon.secret.name, { [neon.secret.key]: key }) });
  }
  if (dumps?.claim !== undefined) await cloud.call("kubernetes.apply", { object: volumeClaim(namespace, dumps.claim) });
}

/** Returns the environment if its database is still to be made. */
export function plannedEnvironment(cloudDir: string, environment: Environment | undefined): Environment | undefined {
  return environment && !findConnection(cloudDir, environment.kind, environment.identifier) ? environment : undefined;
}

/**
 * Wraps the providers so that the environment is prepared before the first change or function call. It is not prepared
 * earlier, so that settings which the program rejects leave everything untouched, and never for a preview: there, a
 * question for a database that is still to be made is answered as if it were there.
 *
 * @param planned the environment, if its database is still to be made
 */
export function preparedFirst(
  providers: Record<string, Provider>,
  prepare: () => Promise<void>,
  planned: Environment | undefined,
): Record<string, Provider> {
  const prepared = (provider: Provider): Provider => ({
    ...(provider.configure && { configure: (settings) => prepared(provider.configure!(settings)) }),
    check: (request) => provider.check(request),
    diff: (request) => provider.diff(request),
    read: (request) => provider.read(request),
    delete: (request) => provider.delete(request),
    async create(request: CreateRequest) {
      if (!request.preview) await prepare();
      return provider.create(request);
    },
    async update(request: UpdateRequest) {
      if (!request.preview) await prepare();
      return provider.update(request);
    },
    async invoke(request: InvokeRequest) {
      if (!request.preview) await prepare();
      try {
        return await provider.invoke(request);
      } catch (error) {
        const answer = request.preview && planned && plannedDatabase(request, planned);
        if (answer) return answer;
        throw error;
      }
    },
  });
  return Object.fromEntries(Object.entries(providers).map(([name, provider]) => [name, prepared(provider)]));
}

/** The answer to a question for a database that the next `up` makes; undefined for any other question. */
function plannedDatabase(
  { token, args }: InvokeRequest,
  { identifier, kind, database, region }: Environment,
): Properties | undefined {
  const asksFor = { "aws:rds/getInstance:getInstance": "instance", "aws:rds/getCluster:getCluster": "cluster" }[token];
  const named = args["dbInstanceIdentifier"] ?? args["clusterIdentifier"];
  if (asksFor !== kind || named !== identifier) return undefined;
  return plannedInstance({ identifier, kind, database, region });
}
