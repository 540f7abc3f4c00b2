import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import {
  CA_FOLDER,
  CA_VARIABLE,
  CONNECTION_PARTS,
  type ConnectionValue,
  connectionVariable,
  type DatabaseAccess,
  type DatabaseRole,
  databaseAccess,
  PART_VARIABLES,
} from "../settings/database-access";
import type { DatabaseSettings } from "../settings/schema";
import { literal } from "./literal";

type EnvVar = types.input.core.v1.EnvVar;
type Name = pulumi.Input<string>;

/** The fields of a pod through which one role finds its connection. They contain no secret, only references to it. */
export interface DatabaseEnvironment {
  env: EnvVar[];
  volumes: types.input.core.v1.Volume[];
  volumeMounts: types.input.core.v1.VolumeMount[];
}

/** The database's settings, and the Secret's name if another resource of the program makes the Secret. */
export interface DatabaseSource {
  settings: DatabaseSettings;
  /** The name of the Secret in place of `database.secret.name`. */
  secretName?: Name | undefined;
}

/** The name of the volume with the files of the CSI driver. */
const VOLUME = "database";

/** The volume and the file of the authorities in `database.ca`. */
const CA = { volume: "database-ca", file: "ca.crt" } as const;

/**
 * Returns what a container needs to find its connection, and its pod's volumes. A URL becomes one variable. Its parts
 * become libpq's variables, because Kubernetes can't compose a URL: `$(VAR)` doesn't percent-encode. A file becomes a
 * read-only volume and the variable `<name>_FILE` with its path. The authorities in `database.ca` are added as a file.
 *
 * @param variable the variable of a URL; default: the one that the settings name for the role
 */
export function databaseEnvironment(
  database: DatabaseSource,
  role: DatabaseRole,
  variable = connectionVariable(database.settings, role),
): DatabaseEnvironment {
  const { env, volumes, volumeMounts } = connectionOf(database, role, variable);
  const { ca } = database.settings;
  if (!ca) return { env, volumes, volumeMounts };
  return {
    env: [...env, { name: CA_VARIABLE, value: `${CA_FOLDER}/${CA.file}` }],
    volumes: [...volumes, authorityVolume(ca)],
    volumeMounts: [...volumeMounts, { name: CA.volume, mountPath: CA_FOLDER, readOnly: true }],
  };
}

function connectionOf(
  { settings, secretName }: DatabaseSource,
  role: DatabaseRole,
  variable: string,
): DatabaseEnvironment {
  const access = databaseAccess<Name>(settings, role, secretName);
  switch (access.form) {
    case "url":
      return { env: [secretVariable(variable, access.secret, access.key)], volumes: [], volumeMounts: [] };
    case "parts":
      return { env: partVariables(access.parts), volumes: [], volumeMounts: [] };
    case "file":
      return {
        env: [{ name: `${variable}_FILE`, value: `${access.folder}/${access.path}` }, ...partVariables(access.parts)],
        volumes: [csiVolume(access.secretProviderClass)],
        volumeMounts: [{ name: VOLUME, mountPath: access.folder, readOnly: true }],
      };
  }
}

/** The fields of a pod that concern its containers and volumes. */
interface Pod {
  containers: types.input.core.v1.Container[];
  initContainers?: types.input.core.v1.Container[];
  volumes?: types.input.core.v1.Volume[];
}

/** Returns the pod with the files of the app's connection, and of the authorities, in each of its containers. */
export function withDatabaseFiles<P extends Pod>(database: DatabaseSource, pod: P): P {
  const { volumes, volumeMounts } = databaseEnvironment(database, "app");
  if (volumes.length === 0) return pod;
  const mounted = (container: types.input.core.v1.Container) => ({
    ...container,
    volumeMounts: [
      ...((container.volumeMounts as types.input.core.v1.VolumeMount[] | undefined) ?? []),
      ...volumeMounts,
    ],
  });
  return {
    ...pod,
    containers: pod.containers.map(mounted),
    ...(pod.initContainers ? { initContainers: pod.initContainers.map(mounted) } : {}),
    volumes: [...(pod.volumes ?? []), ...volumes],
  };
}

/** Returns the migrator's options for its connection: how it logs in, and the parameters that the settings name. */
export function connectionArguments({ settings: { auth, parameters } }: DatabaseSource): string[] {
  return [
    ...(auth === "iam" ? ["--auth", "iam"] : []),
    ...Object.entries(parameters).flatMap(([name, value]) => ["--parameter", literal(`${name}=${value}`)]),
  ];
}

function authorityVolume(ca: NonNullable<DatabaseSettings["ca"]>): types.input.core.v1.Volume {
  const items = (key: string) => [{ key, path: CA.file }];
  return "configMap" in ca
    ? { name: CA.volume, configMap: { name: ca.configMap.name, items: items(ca.configMap.key) } }
    : { name: CA.volume, secret: { secretName: ca.secret.name, items: items(ca.secret.key) } };
}

/** https://secrets-store-csi-driver.sigs.k8s.io/getting-started/usage */
function csiVolume(secretProviderClass: string): types.input.core.v1.Volume {
  return {
    name: VOLUME,
    csi: { driver: "secrets-store.csi.k8s.io", readOnly: true, volumeAttributes: { secretProviderClass } },
  };
}

function partVariables(parts: Extract<DatabaseAccess<Name>, { form: "parts" }>["parts"]): EnvVar[] {
  return CONNECTION_PARTS.flatMap((part) => {
    const value: ConnectionValue<Name> | undefined = parts[part];
    if (value === undefined) return [];
    const name = PART_VARIABLES[part];
    if (typeof value === "string") return [{ name, value: literal(value) }];
    return [secretVariable(name, value.secret, value.key)];
  });
}

/**
 * Returns an environment variable that refers to a Secret, so the value itself is in no state, no manifest and on no
 * command line.
 */
function secretVariable(name: string, secret: Name, key: string): EnvVar {
  return { name, valueFrom: { secretKeyRef: { name: secret, key } } };
}
