import * as pulumi from "@pulumi/pulumi";
import type { Sizes } from "../text/table-size";
import { type ReportReader, readReports } from "./job-reports";

/** Which Job measured the tables, and how its report is read. */
export interface TableSizesArgs {
  namespace: string;
  releaseId: string;
  reader: ReportReader;
  /** Name of the Job that measured. */
  job: string;
}

/**
 * Rows and bytes by table, as the migration Job measured them at its end: what the next release's review judges by. Read when
 * the app is rolled out, so that it keeps nothing from being released; where it can't be read, the sizes are unknown, a
 * warning says why, and `up` goes on.
 */
export class TableSizes extends pulumi.ComponentResource {
  readonly sizes: pulumi.Output<Sizes | null>;

  constructor(
    name: string,
    { namespace, releaseId, reader, job }: TableSizesArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("release:index:TableSizes", name, {}, opts);
    const request = { namespace, jobs: [job] };
    this.sizes = readReports(`${name}-${releaseId}`, reader, request, {
      parent: this,
      dependsOn: opts?.dependsOn ?? [],
    }).apply(({ sizes }) => sizes ?? null);
    this.registerOutputs({ sizes: this.sizes });
  }
}
