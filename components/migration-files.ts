import * as pulumi from "@pulumi/pulumi";
import { jobFiles } from "./job-files";

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

/** The ConfigMaps that contain the migrator and the SQL; the Jobs' pods mount them. They never change. */
export class MigrationFiles extends pulumi.ComponentResource {
  /** The names of the ConfigMaps, which are mounted together in one folder. */
  readonly names: string[];

  constructor(name: string, args: MigrationFilesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:MigrationFiles", name, {}, opts);
    const { app, namespace, migrator, signer, payload } = args;
    const contents = [
      { data: { "migrator.cjs": migrator } },
      ...(signer === undefined ? [] : [{ data: { "rds-signer.cjs": signer } }]),
      ...payload.map((piece, index) => ({ binaryData: { [`payload-${index}`]: piece.toString("base64") } })),
    ];
    this.names = jobFiles(name, { app, namespace, component: "migration", contents }, { parent: this }).names;
    this.registerOutputs({ names: this.names });
  }
}
