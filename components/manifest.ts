import { createHash } from "node:crypto";
import { canonical } from "./release-id";

/** A Kubernetes object as the program writes it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; labels: Record<string, string>; annotations?: Record<string, string> };
  spec: object;
}

/** Holds a hash of all that the program sets of an object, so that the live object tells whether a release changes it. */
export const MANIFEST_ANNOTATION = "release/manifest";

/** The manifest with {@link MANIFEST_ANNOTATION}. */
export function stamped<M extends Manifest>(manifest: M): M {
  const hash = createHash("sha256").update(canonical(manifest)).digest("hex").slice(0, 12);
  const annotations = { ...manifest.metadata.annotations, [MANIFEST_ANNOTATION]: hash };
  return { ...manifest, metadata: { ...manifest.metadata, annotations } };
}
