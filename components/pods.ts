import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { EnvironmentSettings } from "../settings/schema";

/** What the pods of a release have in common: who they are, where the database's URL comes from, what they may do. */

/** Labels that every object of the app carries (https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/). */
export function labels(app: string, component: string): Record<string, string> {
  return {
    "app.kubernetes.io/name": app,
    "app.kubernetes.io/component": component,
    "app.kubernetes.io/managed-by": "pulumi",
  };
}

/** Set on the pods of a release, so that `kubectl get pods -L release/id` tells which release they run. */
export const RELEASE_ANNOTATION = "release/id";

type EnvVar = types.input.core.v1.EnvVar;

/** Where pods find the database's URLs: a Kubernetes Secret with a key for the app and one for the migration. */
export interface DatabaseAccess {
  /** The variable of the app that holds its URL. */
  env: string;
  secret: { name: pulumi.Input<string>; appKey: string; migrationKey: string };
}

/** A reference: the URL itself is in no state, no manifest and on no command line. */
export function secretVariable(name: string, secret: pulumi.Input<string>, key: string): EnvVar {
  return { name, valueFrom: { secretKeyRef: { name: secret, key } } };
}

/**
 * The database's URL, then the variables that the settings name, in their order.
 *
 * @param provided variables that other resources make, in place of the settings' of the same name
 */
export function environment(
  { env: url, secret }: DatabaseAccess,
  env: EnvironmentSettings,
  provided: Record<string, pulumi.Input<string>> = {},
): EnvVar[] {
  const own = Object.entries(env).filter(([name]) => !Object.hasOwn(provided, name));
  return [
    secretVariable(url, secret.name, secret.appKey),
    ...variables(Object.fromEntries(own)),
    ...Object.entries(provided).map(([name, value]): EnvVar => ({ name, value })),
  ];
}

/** The variables that the settings name, in their order. */
export function variables(env: EnvironmentSettings): EnvVar[] {
  return Object.entries(env).map(([name, value]): EnvVar => {
    if (typeof value === "string") return { name, value };
    return "secret" in value
      ? { name, valueFrom: { secretKeyRef: value.secret } }
      : { name, valueFrom: { configMapKeyRef: value.configMap } };
  });
}

/**
 * What the Pod Security Standard "restricted" asks of a pod
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted).
 */
export function podSecurity(user: number): types.input.core.v1.PodSecurityContext {
  return { runAsNonRoot: true, runAsUser: user, runAsGroup: user, seccompProfile: { type: "RuntimeDefault" } };
}

/** As {@link podSecurity}, of a container. */
export const CONTAINER_SECURITY: types.input.core.v1.SecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
};
