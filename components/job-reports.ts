import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { KUBECONFIG_VARIABLE, REQUEST_VARIABLE, type ReportRequest } from "../report/reader/request";
import type { Sizes } from "../text/table-size";
import { sizesSchema } from "./outputs";
import { ReleaseCommand } from "./release-command";

/** How the Jobs' reports are read back when the release is done: by `kubectl logs`, where `pulumi up` runs. */
export interface ReportReader {
  /** The reader as one CommonJS file, for `node`. */
  script: string;
  /** For the page's name and heading. */
  stack: string;
  /** Folder for the page of each release, absolute; undefined: no page is written. */
  directory?: string | undefined;
  /** Of the kubeconfig, as the provider has it. */
  context?: string | undefined;
  /** Content or path, as the provider has it; default: what kubectl finds by itself. */
  kubeconfig?: pulumi.Input<string> | undefined;
}

/** What the reader prints: one line of JSON. */
const answerSchema = z.object({
  sizes: sizesSchema.optional(),
  file: z.string().optional(),
  /** What could not be read, the state of the release, and what to do, in three lines. */
  problem: z.string().optional(),
});
type Answer = z.infer<typeof answerSchema>;

/** The reader needs seconds; kubectl may have to be asked again. */
const TIMEOUT = "3m";

/** What is read back of which release. */
export interface JobReportsArgs {
  releaseId: string;
  reader: ReportReader;
  request: pulumi.Input<Omit<ReportRequest, "context">>;
}

/**
 * Reads back, once a release, what its Jobs reported. The reader gets its script on stdin and its request in the
 * environment, so that neither depends on where this package lies; a newer version of it is no reason to read again for a
 * release that is done. What can't be read is a warning, never an error.
 */
export class JobReports extends ReleaseCommand {
  /** Rows and bytes by table at the end of the last of the Jobs; null where they are unknown. */
  readonly sizes: pulumi.Output<Sizes | null>;

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
    // A secret kubeconfig makes everything of the command a secret; what it prints is none.
    this.sizes = pulumi.unsecret(this.stdout).apply((printed) => {
      const { problem, sizes } = parse(printed);
      if (problem) void pulumi.log.warn(problem, this);
      return sizes ?? null;
    });
  }
}

/** Nothing that a command could print may end the program: the release is done by then. */
function parse(stdout: string): Answer {
  try {
    const answer = answerSchema.safeParse(JSON.parse(stdout));
    if (answer.success) return answer.data;
  } catch {
    // Said below.
  }
  return {
    problem: `What the Jobs reported can't be read: the command printed ${JSON.stringify(stdout.slice(0, 200))}.`,
  };
}
