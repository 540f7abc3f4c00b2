import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { canonical } from "./release-id";

/** A Kubernetes object as the program writes it. */
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

/** Holds a hash of all that the program sets of an object, so that the live object tells whether a release changes it. */
export const MANIFEST_ANNOTATION = "release/manifest";

/** The start of a sha-256 over a manifest whose values are all known. */
export function manifestHash(manifest: object): string {
  return createHash("sha256").update(canonical(manifest)).digest("hex").slice(0, 12);
}

/** The manifest with {@link MANIFEST_ANNOTATION}. */
export function stamped<M extends Manifest>(manifest: M): M {
  const hash = pulumi.output(manifest).apply(manifestHash);
  const annotations = { ...manifest.metadata.annotations, [MANIFEST_ANNOTATION]: hash };
  return { ...manifest, metadata: { ...manifest.metadata, annotations } };
}
