import { createHash } from "node:crypto";
import { ConfigMap } from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import { labels } from "./pods";

/** The files that the Jobs get in their folder: the migrator and the migrations. */
export interface MigrationFilesArgs {
  app: string;
  namespace: pulumi.Input<string>;
  /** The migrator as one CommonJS file. */
  migrator: string;
  /** The AWS SDK's signer as one CommonJS file, if the migrator logs in by IAM. */
  signer?: string | undefined;
  /** The compressed migrations, in pieces that each fit into a ConfigMap (1 MiB). */
  payload: Buffer[];
}

/**
 * The ConfigMaps that contain the migrator and the SQL; the Jobs' pods mount them. They are immutable, and their names
 * contain a hash of their content: changed content makes a new ConfigMap, so none changes under a running pod.
 */
export class MigrationFiles extends pulumi.ComponentResource {
  /** The names of the ConfigMaps, which are mounted together in one folder. */
  readonly names: string[];

  constructor(name: string, args: MigrationFilesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:MigrationFiles", name, {}, opts);

    const contents = [
      { data: { "migrator.cjs": args.migrator } },
      ...(args.signer === undefined ? [] : [{ data: { "rds-signer.cjs": args.signer } }]),
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
