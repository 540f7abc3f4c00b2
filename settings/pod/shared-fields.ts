import { CA_FOLDER } from "../database-access";
import type { DatabaseSettings } from "../schema";

/** The name of the schema gate's init container and of its volume. */
export const SCHEMA_GATE = "schema-gate";

/** What no fragment may set in any pod, by the place of the value. */
export const SHARED: Readonly<Record<string, string>> = {
  ...labels(["app.kubernetes.io/name", "app.kubernetes.io/component", "app.kubernetes.io/managed-by"]),
  "metadata.annotations[release/id]": "left out: it names the release that the pod runs",
  [`spec.initContainers[${SCHEMA_GATE}]`]: "named differently: app.schemaGate adds an init container of this name",
  ...Object.fromEntries(
    ["release", "writable", "database", "database-ca", SCHEMA_GATE].map((volume) => [
      `spec.volumes[${volume}]`,
      "named differently: the release has a volume of this name",
    ]),
  ),
};

/** Returns entries for labels of a pod. */
export function labels(names: readonly string[]): Record<string, string> {
  const allowed = "left out: the release finds its pods by this label";
  return Object.fromEntries(names.map((name) => [`metadata.labels[${name}]`, allowed]));
}

/** Returns entries for some fields of one object, all with the same reason. */
export function fields(of: string, names: readonly string[], allowed: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [`${of}.${name}`, allowed]));
}

/** Returns entries for the variables of a container. */
export function variables(container: string, names: readonly string[], allowed: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [`${container}.env[${name}]`, allowed]));
}

/** Returns the entries for the mounts of the files with the connection and with its authorities, if there are any. */
export function connectionFiles(container: string, { file, ca }: DatabaseSettings): Record<string, string> {
  const mount = (folder: string, setting: string) => ({
    [`${container}.volumeMounts[${folder}]`]: `another path: ${setting} is mounted there`,
  });
  return { ...(file ? mount(file.folder, "database.file") : {}), ...(ca ? mount(CA_FOLDER, "database.ca") : {}) };
}
