import { createHash } from "node:crypto";
import { ConfigMap } from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import { labels } from "./pods";

/** What the Jobs find in their folder: the migrator and the history. */
export interface MigrationFilesArgs {
  app: string;
  namespace: pulumi.Input<string>;
  /** The migrator as one CommonJS file. */
  migrator: string;
  /** The compressed history in pieces that each fit a ConfigMap (1 MiB). */
  payload: Buffer[];
}

/**
 * The migrator and the SQL, as ConfigMaps that the Job's pod mounts. Immutable and named by content: other content is
 * another ConfigMap, and none is ever replaced under a running pod.
 */
export class MigrationFiles extends pulumi.ComponentResource {
  /** Names of the ConfigMaps, to mount together in one folder. */
  readonly names: string[];

  constructor(name: string, args: MigrationFilesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:MigrationFiles", name, {}, opts);

    const contents = [
      { data: { "migrator.cjs": args.migrator } },
      ...args.payload.map((piece, index) => ({ binaryData: { [`payload-${index}`]: piece.toString("base64") } })),
    ];
    this.names = contents.map((content) => {
      const hash = createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 10);
      const mapName = `${args.app}-migration-${hash}`;
      new ConfigMap(
        `${name}-${hash}`,
        {
          metadata: { name: mapName, namespace: args.namespace, labels: labels(args.app, "migration") },
          immutable: true,
          ...content,
        },
        { parent: this },
      );
      return mapName;
    });
    this.registerOutputs({ names: this.names });
  }
}
