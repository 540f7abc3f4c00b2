import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { KUBECONFIG_VARIABLE, REQUEST_VARIABLE, type ReportRequest } from "../report/reader/request";
import type { Sizes } from "../text/table-size";
import { ReleaseCommand } from "./release-command";
import { sizesSchema } from "./release-outputs";

/** The options for reading back the Jobs' reports after the rollout, with `kubectl logs` where `pulumi up` runs. */
export interface ReportReader {
  /** The reader as one CommonJS file, for `node`. */
  script: string;
  /** The stack's name, which is used in the page's file name and heading. */
  stack: string;
  /** The absolute path of the folder for the page of each release. Default: no page is written. */
  directory?: string | undefined;
  /** The context of the kubeconfig, the same as the Kubernetes provider's. Default: the current context. */
  context?: string | undefined;
  /** The kubeconfig's content or path, the same as the provider's. Default: the one that kubectl finds by itself. */
  kubeconfig?: pulumi.Input<string> | undefined;
}

/** What the last of the Jobs reported of the backup. */
const reportedSchema = z.object({
  id: z.string(),
  createdAt: z.string(),
  completedAt: z.string(),
  checksum: z.string().nullable(),
});
/** What a migration Job reported of the dump that protected it. */
export type ReportedBackup = z.infer<typeof reportedSchema>;

/** The one line of JSON that the reader prints. */
const answerSchema = z.object({
  sizes: sizesSchema.optional(),
  backup: reportedSchema.optional(),
  file: z.string().optional(),
  /** Three lines: what could not be read, the state of the release, and the next command. */
  problem: z.string().optional(),
});
type Answer = z.infer<typeof answerSchema>;

/** The time limit of the reader. It needs seconds, but may have to repeat a call of kubectl. */
const TIMEOUT = "3m";

/** The release and the reports of it that are read back. */
export interface JobReportsArgs {
  releaseId: string;
  reader: ReportReader;
  request: pulumi.Input<Omit<ReportRequest, "context">>;
}

/**
 * Reads back the Jobs' reports once for each release. The reader gets its script on stdin and its request in an
 * environment variable, so neither depends on this package's path. A newer version of the script doesn't make Pulumi
 * run it again for a finished release. A report that can't be read causes a warning, never an error.
 */
export class JobReports extends ReleaseCommand {
  /** The rows and bytes of each table at the end of the last of the Jobs; null if they are unknown. */
  readonly sizes: pulumi.Output<Sizes | null>;
  /** The backup that protected the last of the Jobs; null if it is unknown, or there is none. */
  readonly backup: pulumi.Output<ReportedBackup | null>;

  constructor(name: string, { releaseId, reader, request }: JobReportsArgs, opts?: pulumi.ComponentResourceOptions) {
    const { script, context, kubeconfig } = reader;
    super(
      name,
      {
        releaseId,
        command: "node -",
        stdin: script,
        environment: {
          [REQUEST_VARIABLE]: pulumi.output(request).apply((known) => JSON.stringify({ ...known, context })),
          ...(kubeconfig === undefined ? {} : { [KUBECONFIG_VARIABLE]: pulumi.secret(kubeconfig) }),
        },
        timeout: TIMEOUT,
        shown: false,
        again: false,
      },
      opts,
    );
    // A secret kubeconfig makes Pulumi treat the command's output as a secret, too. The output contains none.
    const answer = pulumi.unsecret(this.stdout).apply(parse);
    this.sizes = answer.apply(({ problem, sizes }) => {
      if (problem) void pulumi.log.warn(problem, this);
      return sizes ?? null;
    });
    this.backup = answer.apply(({ backup }) => backup ?? null);
  }
}

/** Parses the reader's output. It never throws, because the release is finished by then. */
function parse(stdout: string): Answer {
  try {
    const answer = answerSchema.safeParse(JSON.parse(stdout));
    if (answer.success) return answer.data;
  } catch {
    // The text below reports it.
  }
  return {
    problem: `What the Jobs reported can't be read: the command printed ${JSON.stringify(stdout.slice(0, 200))}.`,
  };
}
