import { parseSettings } from "../settings/parse";
import { findConnection } from "./cloud/aws/instance";
import { connect } from "./cloud/client";
import type { CreateRequest, InvokeRequest, Provider, UpdateRequest } from "./cloud/provider";
import type { Stack } from "./stack";

/**
 * The resources on AWS that exist before a release begins, as named by the stack's settings: the database and the
 * Secret with its URLs. They are not in the Pulumi program, because a release does not create them.
 */
export interface Environment {
  identifier: string;
  kind: "instance" | "cluster";
  /** The database on that server; its name comes from the app's name. */
  database: string;
  namespace: string;
  secret: { name: string; appKey: string; migrationKey: string };
}

/** Undefined if the settings do not name a valid database; the program reports that problem itself. */
export function environmentOf({ settings: raw }: Pick<Stack, "settings">): Environment | undefined {
  const { settings } = parseSettings(raw, ["app", "database", "namespace"]);
  if (!settings) return undefined;
  const { identifier, kind, secret } = settings.database;
  return { identifier, kind, secret, database: settings.app.name.replaceAll("-", "_"), namespace: settings.namespace };
}

/** Creates and starts the missing parts of the environment; it is quick if nothing is missing. */
export async function prepareEnvironment(cloudDir: string, environment: Environment): Promise<void> {
  const { identifier, kind, namespace, secret } = environment;
  // An app that was renamed keeps its existing database.
  const database = findConnection(cloudDir, kind, identifier)?.database ?? environment.database;
  const cloud = await connect(cloudDir);
  const instance = await cloud.call("aws.ensureInstance", { identifier, kind, database });
  const object = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: secret.name, namespace },
    type: "Opaque",
    data: {
      [secret.appKey]: base64(instance.appUrl),
      [secret.migrationKey]: base64(instance.adminUrl),
    },
  };
  await cloud.call("kubernetes.apply", { object });
}

/**
 * Wraps the providers so that the environment is prepared before the first change or function call. It is not prepared
 * earlier, so that settings which the program rejects leave everything untouched, and never for a preview.
 */
export function preparedFirst(
  providers: Record<string, Provider>,
  prepare: () => Promise<void>,
): Record<string, Provider> {
  const prepared = (provider: Provider): Provider => ({
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
      return provider.invoke(request);
    },
  });
  return Object.fromEntries(Object.entries(providers).map(([name, provider]) => [name, prepared(provider)]));
}

function base64(value: string): string {
  return Buffer.from(value).toString("base64");
}
