import type { ConnectionPart, DatabaseAccess, DatabaseRole } from "../settings/database-access";
import type { KubernetesObject } from "./cloud/kubernetes/object";

/** The URLs of a database, one for each role. */
type Urls = Readonly<Record<DatabaseRole, string>>;

/**
 * Returns the Secrets in which the settings say that the connections are. Connections in files are in Secrets too: their
 * SecretProviderClasses name them, in place of a store of secrets outside of the cluster.
 */
export function databaseObjects(
  namespace: string,
  access: Readonly<Record<DatabaseRole, DatabaseAccess>>,
  urls: Urls,
): KubernetesObject[] {
  const contents = new Map<string, Record<string, string>>();
  const classes = new Set<string>();
  const add = (secret: string, key: string, value: string) => {
    contents.set(secret, { ...contents.get(secret), [key]: Buffer.from(value).toString("base64") });
  };
  for (const role of ["app", "migration"] as const) {
    const each = access[role];
    const url = urls[role];
    if (each.form === "url") add(each.secret, each.key, url);
    if (each.form === "file") {
      classes.add(each.secretProviderClass);
      add(each.secretProviderClass, each.path, url);
    }
    if (each.form !== "parts") continue;
    for (const [part, value] of Object.entries(partsOf(url))) {
      const place = each.parts[part as ConnectionPart];
      if (typeof place === "object") add(place.secret, place.key, value);
    }
  }
  return [
    ...[...contents].map(([name, data]) => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace },
      type: "Opaque",
      data,
    })),
    ...[...classes].map((name) => ({
      apiVersion: "secrets-store.csi.x-k8s.io/v1",
      kind: "SecretProviderClass",
      metadata: { name, namespace },
      spec: { provider: "local", parameters: { secret: name } },
    })),
  ];
}

/** Returns the Secret with an access key of the store for dumps. */
export function storeSecret(
  namespace: string,
  { name, accessKeyIdKey, secretAccessKeyKey }: { name: string; accessKeyIdKey: string; secretAccessKeyKey: string },
  { accessKeyId, secretAccessKey }: { accessKeyId: string; secretAccessKey: string },
): KubernetesObject {
  return secretOf(namespace, name, { [accessKeyIdKey]: accessKeyId, [secretAccessKeyKey]: secretAccessKey });
}

/** Returns a Secret with these values. */
export function secretOf(namespace: string, name: string, values: Readonly<Record<string, string>>): KubernetesObject {
  const data = Object.fromEntries(
    Object.entries(values).map(([key, text]) => [key, Buffer.from(text).toString("base64")]),
  );
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, type: "Opaque", data };
}

/** Returns a PersistentVolumeClaim, which is a folder in the local cloud. */
export function volumeClaim(namespace: string, name: string): KubernetesObject {
  const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  return { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name, namespace }, spec };
}

function partsOf(url: string): Record<ConnectionPart, string> {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    host: hostname,
    port,
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    name: decodeURIComponent(pathname.slice(1)),
  };
}
