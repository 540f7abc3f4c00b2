import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { canonical } from "./release-id";

/** A Kubernetes object as the program declares it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace: pulumi.Input<string>;
    labels: Record<string, string>;
    annotations?: Record<string, pulumi.Input<string>>;
  };
  spec: object;
}

/**
 * The name of the annotation that contains a hash of all fields that the program sets. The live object's annotation
 * shows whether a release would change the object.
 */
export const MANIFEST_ANNOTATION = "release/manifest";

/** Returns the first 12 hexadecimal digits of the sha-256 of a manifest whose values are all known. */
export function manifestHash(manifest: object): string {
  return createHash("sha256").update(canonical(manifest)).digest("hex").slice(0, 12);
}

/** Returns the manifest with the annotation {@link MANIFEST_ANNOTATION} added. */
export function stamped<M extends Manifest>(manifest: M): M {
  const hash = pulumi.output(manifest).apply(manifestHash);
  const annotations = { ...manifest.metadata.annotations, [MANIFEST_ANNOTATION]: hash };
  return { ...manifest, metadata: { ...manifest.metadata, annotations } };
}
