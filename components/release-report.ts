import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { type ReportReader, readReports } from "./job-reports";

/** What the page of a release is written from. */
export interface ReleaseReportArgs {
  app: string;
  namespace: string;
  releaseId: string;
  reader: ReportReader & { directory: string };
  /** Names of the Jobs, in the order of the release. */
  jobs: string[];
  image: string;
  url: pulumi.Input<string>;
  /** The command that has checked the new version by then. */
  smoke?: string | undefined;
  restore?: string | undefined;
}

/**
 * The report as a page for a change ticket, `<directory>/<stack>-<releaseId>.md`: what the Jobs found before and after the
 * migration, and what the release is now. The very last step, so that nothing ever waits for it.
 */
export class ReleaseReport extends pulumi.ComponentResource {
  constructor(name: string, args: ReleaseReportArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:ReleaseReport", name, {}, opts);
    const { app, namespace, releaseId, reader, jobs, image, url, smoke, restore } = args;
    const file = join(reader.directory, `${reader.stack}-${releaseId}.md`);
    const page = { file, release: releaseId, app, stack: reader.stack, namespace, image, smoke, restore };
    readReports(
      `${name}-${releaseId}`,
      reader,
      pulumi.output(url).apply((known) => ({ namespace, jobs, page: { ...page, url: known } })),
      { parent: this, dependsOn: opts?.dependsOn ?? [] },
    );
    this.registerOutputs({});
  }
}
