import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/schema";

/** The command that checks the new version, and where that answers. */
export interface SmokeCheckArgs {
  releaseId: string;
  url: pulumi.Input<string>;
  settings: NonNullable<Settings["smoke"]>;
}

/**
 * The last step: the team's own command, run once a release where `pulumi up` runs, with `RELEASE_URL` and `RELEASE_ID`
 * in its environment. A failure ends `up` with an error; the new version is serving by then, and goes on.
 */
export class SmokeCheck extends pulumi.ComponentResource {
  /** Known once it has succeeded. */
  readonly id: pulumi.Output<string>;

  constructor(name: string, { releaseId, url, settings }: SmokeCheckArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:SmokeCheck", name, {}, opts);
    this.id = new local.Command(
      `${name}-${releaseId}`,
      {
        create: settings.command,
        environment: { RELEASE_ID: releaseId, RELEASE_URL: url },
        triggers: [releaseId],
      },
      { parent: this, dependsOn: opts?.dependsOn ?? [], customTimeouts: { create: settings.timeout.text } },
    ).id;
    this.registerOutputs({});
  }
}
