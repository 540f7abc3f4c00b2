import { Buffer } from "node:buffer";
import type { KubernetesObject } from "./object";
import type { Container, CsiSource, KeyRef, Pod } from "./pod-types";
import type { Store } from "./store";

/** A Secret or ConfigMap that a container needs, or one of its keys, does not exist. Kubernetes waits for it. */
export class MissingReference extends Error {
  override readonly name = "MissingReference";
}

/** The address of every pod of this machine. */
export const POD_IP = "127.0.0.1";

/** The data that a pod's manifest refers to: Secrets, ConfigMaps, and the pod's own fields. */
export class Configuration {
  constructor(
    private readonly store: Store,
    private readonly pod: Pod,
  ) {}

  secret(name = "", optional = false): Map<string, Buffer> {
    const secret = this.find("Secret", name, optional);
    return new Map(
      Object.entries((secret?.["data"] ?? {}) as Record<string, string>).map(([key, value]) => [
        key,
        Buffer.from(value, "base64"),
      ]),
    );
  }

  configMap(name = "", optional = false): Map<string, Buffer> {
    const map = this.find("ConfigMap", name, optional);
    return new Map([
      ...Object.entries((map?.["data"] ?? {}) as Record<string, string>).map(
        ([key, value]) => [key, Buffer.from(value)] as const,
      ),
      ...Object.entries((map?.["binaryData"] ?? {}) as Record<string, string>).map(
        ([key, value]) => [key, Buffer.from(value, "base64")] as const,
      ),
    ]);
  }

  /**
   * The files of a volume of the Secrets Store CSI driver. In this cloud the store is a Secret, which the
   * SecretProviderClass names in `parameters.secret`.
   * @throws MissingReference for another driver, or if the class or its Secret doesn't exist
   */
  secretProviderClass({ driver, volumeAttributes = {} }: CsiSource): Map<string, Buffer> {
    if (driver !== "secrets-store.csi.k8s.io") throw new MissingReference(`driver name ${driver} not found`);
    const name = volumeAttributes["secretProviderClass"] ?? "";
    const namespace = this.pod.metadata.namespace ?? "default";
    const group = "secrets-store.csi.x-k8s.io";
    const found = this.store.get({ group, kind: "SecretProviderClass", namespace, name });
    if (!found) throw new MissingReference(`secretproviderclasses.${group} "${name}" not found`);
    return this.secret(found["spec"]?.parameters?.secret);
  }

  /** Checks that a PersistentVolumeClaim exists. @throws MissingReference */
  checkClaim(name: string): void {
    const namespace = this.pod.metadata.namespace ?? "default";
    if (!this.store.get({ group: "", kind: "PersistentVolumeClaim", namespace, name }))
      throw new MissingReference(`persistentvolumeclaim "${name}" not found`);
  }

  /**
   * A field of the downward API (https://kubernetes.io/docs/concepts/workloads/pods/downward-api/#available-fields).
   * @throws MissingReference for an unsupported path
   */
  field(path: string): string {
    const { metadata } = this.pod;
    const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
    if (keyed) return metadata[keyed[1] as "labels"]?.[keyed[2]!] ?? "";
    const fields: Record<string, string | undefined> = {
      "metadata.name": metadata.name,
      "metadata.namespace": metadata.namespace ?? "default",
      "metadata.uid": metadata.uid,
      "status.podIP": POD_IP,
      "status.podIPs": POD_IP,
      "status.hostIP": POD_IP,
      "spec.nodeName": "local",
      "spec.serviceAccountName": "default",
    };
    const value = fields[path];
    if (value === undefined) throw new MissingReference(`field path ${path} is not supported`);
    return value;
  }

  /**
   * The variables that the manifest sets, in the API's order: `envFrom` first, then `env`, in which `$(NAME)` refers to
   * earlier variables.
   */
  environment(container: Container): Record<string, string> {
    const env: Record<string, string> = {};
    for (const { prefix = "", secretRef, configMapRef } of container.envFrom ?? []) {
      const data = secretRef
        ? this.secret(secretRef.name, secretRef.optional)
        : configMapRef
          ? this.configMap(configMapRef.name, configMapRef.optional)
          : new Map<string, Buffer>();
      for (const [key, value] of data) env[prefix + key] = value.toString("utf8");
    }
    for (const { name, value, valueFrom } of container.env ?? []) {
      if (valueFrom?.secretKeyRef) this.assign(env, name, "Secret", valueFrom.secretKeyRef);
      else if (valueFrom?.configMapKeyRef) this.assign(env, name, "ConfigMap", valueFrom.configMapKeyRef);
      else if (valueFrom?.fieldRef) env[name] = this.field(valueFrom.fieldRef.fieldPath);
      else env[name] = expand(value ?? "", env);
    }
    return env;
  }

  private assign(env: Record<string, string>, name: string, kind: "Secret" | "ConfigMap", reference: KeyRef): void {
    const data =
      kind === "Secret"
        ? this.secret(reference.name, reference.optional)
        : this.configMap(reference.name, reference.optional);
    const value = data.get(reference.key);
    if (value !== undefined) env[name] = value.toString("utf8");
    else if (!reference.optional) {
      const namespace = this.pod.metadata.namespace ?? "default";
      throw new MissingReference(`couldn't find key ${reference.key} in ${kind} ${namespace}/${reference.name}`);
    }
  }

  private find(kind: "Secret" | "ConfigMap", name: string, optional: boolean): KubernetesObject | undefined {
    const object = this.store.get({ group: "", kind, namespace: this.pod.metadata.namespace ?? "default", name });
    if (!object && !optional) throw new MissingReference(`${kind.toLowerCase()} "${name}" not found`);
    return object;
  }
}

/** Replaces `$(NAME)` in values, commands and arguments. `$$` gives `$`, and an unknown name is left as it is. */
export function expand(text: string, env: Record<string, string>): string {
  return text.replace(/\$\$|\$\(([^)]+)\)/g, (match, name?: string) =>
    name === undefined ? "$" : (env[name] ?? match),
  );
}
