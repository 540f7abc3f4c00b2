import { parseSettings } from "../settings/parse";
import { findConnection } from "./cloud/aws/instance";
import { connect } from "./cloud/client";
import type { CreateRequest, InvokeRequest, Provider, UpdateRequest } from "./cloud/provider";
import type { Stack } from "./stack";

/**
 * What a release finds on AWS before it begins, as far as the stack's settings name it: the database, and the Secret
 * with its URLs. Nothing of it is in the Pulumi program, because no release makes it.
 */
export interface Environment {
  identifier: string;
  kind: "instance" | "cluster";
  /** The database on that server; named after the app. */
  database: string;
  namespace: string;
  secret: { name: string; appKey: string; migrationKey: string };
}

/** Undefined where the settings name no database, or name it wrongly: then it is the program that says so. */
export function environmentOf({ settings: raw }: Pick<Stack, "settings">): Environment | undefined {
  const { settings } = parseSettings(raw, ["app", "database", "namespace"]);
  if (!settings) return undefined;
  const { identifier, kind, secret } = settings.database;
  return { identifier, kind, secret, database: settings.app.name.replaceAll("-", "_"), namespace: settings.namespace };
}

/** Makes and starts what is missing of it; quick where nothing is. */
export async function prepareEnvironment(cloudDir: string, environment: Environment): Promise<void> {
  const { identifier, kind, namespace, secret } = environment;
  // A renamed app goes on with the database that it has.
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
 * The providers, with the environment made ready before the first of them acts. Not earlier, so that settings which the
 * program refuses leave everything untouched; never for a preview.
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
