import { createHash } from "node:crypto";
import { ConfigMap } from "@pulumi/kubernetes/core/v1";
import type * as pulumi from "@pulumi/pulumi";
import { labels } from "./pods";

/** The content of one ConfigMap. */
type FileContent = { data: Record<string, string> } | { binaryData: Record<string, string> };

/** What ConfigMaps with files for a Job are made of. */
export interface JobFilesArgs {
  app: string;
  namespace: pulumi.Input<string>;
  /** The part of the release whose Jobs mount the files. It is in the names and labels. */
  component: "migration" | "dump" | "branch";
  contents: readonly FileContent[];
}

/**
 * Makes a ConfigMap for each content. They are immutable, and their names contain a hash of their content: changed
 * content makes a new ConfigMap, so none changes under a running pod.
 *
 * @returns the names of the ConfigMaps, which a pod mounts together in one folder
 */
export function jobFiles(
  name: string,
  { app, namespace, component, contents }: JobFilesArgs,
  opts: pulumi.CustomResourceOptions,
): { names: string[]; maps: ConfigMap[] } {
  const made = contents.map((content) => {
    const hash = createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 10);
    const mapName = `${app}-${component}-${hash}`;
    const map = new ConfigMap(
      `${name}-${hash}`,
      { metadata: { name: mapName, namespace, labels: labels(app, component) }, immutable: true, ...content },
      opts,
    );
    return { mapName, map };
  });
  return { names: made.map(({ mapName }) => mapName), maps: made.map(({ map }) => map) };
}
