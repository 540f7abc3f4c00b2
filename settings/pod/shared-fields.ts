import type { DatabaseSettings } from "../schema";

/** What no fragment may set in any pod, by the place of the value. */
export const SHARED: Readonly<Record<string, string>> = {
  ...labels(["app.kubernetes.io/name", "app.kubernetes.io/component", "app.kubernetes.io/managed-by"]),
  "metadata.annotations[release/id]": "left out: it names the release that the pod runs",
  ...Object.fromEntries(
    ["release", "writable", "database"].map((volume) => [
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

/** Returns the entry for the mount of the files with the connection, if it is in files. */
export function connectionFiles(container: string, { file }: DatabaseSettings): Record<string, string> {
  return file ? { [`${container}.volumeMounts[${file.folder}]`]: "another path: database.file is mounted there" } : {};
}
