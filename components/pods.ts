import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { EnvironmentSettings } from "../settings/schema";
import { type DatabaseSource, databaseEnvironment } from "./database-environment";

// This module contains what all pods of a release share: labels, environment variables and security settings.

/**
 * Returns the labels that every object of the app has
 * (https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/).
 */
export function labels(app: string, component: string): Record<string, string> {
  return {
    "app.kubernetes.io/name": app,
    "app.kubernetes.io/component": component,
    "app.kubernetes.io/managed-by": "pulumi",
  };
}

/** The name of the annotation that contains the id of the release that a pod runs. */
export const RELEASE_ANNOTATION = "release/id";

type EnvVar = types.input.core.v1.EnvVar;

/**
 * Returns the variables for the app's connection, then the variables of the settings in their order, then the provided
 * ones.
 *
 * @param provided Variables from other resources of the program. They replace settings of the same name.
 */
export function environment(
  database: DatabaseSource,
  env: EnvironmentSettings,
  provided: Record<string, pulumi.Input<string>> = {},
): EnvVar[] {
  const own = Object.entries(env).filter(([name]) => !Object.hasOwn(provided, name));
  return [
    ...databaseEnvironment(database, "app").env,
    ...variables(Object.fromEntries(own)),
    ...Object.entries(provided).map(([name, value]): EnvVar => ({ name, value })),
  ];
}

/** Returns the variables of the settings, in their order. */
export function variables(env: EnvironmentSettings): EnvVar[] {
  return Object.entries(env).map(([name, value]): EnvVar => {
    if (typeof value === "string") return { name, value };
    return "secret" in value
      ? { name, valueFrom: { secretKeyRef: value.secret } }
      : { name, valueFrom: { configMapKeyRef: value.configMap } };
  });
}

/**
 * Returns the fields of a pod that say as what it runs. The security context is the one that the Pod Security Standard
 * "restricted" requires (https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted).
 */
export function podIdentity({
  runAsUser,
  serviceAccount,
  fsGroup,
}: {
  readonly runAsUser: number;
  readonly serviceAccount?: string | undefined;
  /** The group that may write to the pod's volumes. Default: none is set. */
  readonly fsGroup?: number;
}): Pick<types.input.core.v1.PodSpec, "securityContext" | "serviceAccountName"> {
  const seccompProfile = { type: "RuntimeDefault" };
  return {
    ...(serviceAccount ? { serviceAccountName: serviceAccount } : {}),
    securityContext: {
      ...{ runAsNonRoot: true, runAsUser, runAsGroup: runAsUser, seccompProfile },
      ...(fsGroup === undefined ? {} : { fsGroup }),
    },
  };
}

/** The security context that the same standard as in {@link podIdentity} requires of a container. */
export const CONTAINER_SECURITY: types.input.core.v1.SecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
};
