import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { KUBECONFIG_VARIABLE, REQUEST_VARIABLE, type ReportRequest } from "../report/reader/request";
import { sizesSchema } from "./outputs";

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

/**
 * Runs the reader once, under a name that carries the release id. It gets its script on stdin and its request in the
 * environment, so that neither depends on where this package lies; both may change with a newer version of it, which is no
 * reason to run again for a release that is done.
 */
export function readReports(
  name: string,
  { script, context, kubeconfig }: ReportReader,
  request: pulumi.Input<Omit<ReportRequest, "context">>,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<Answer> {
  const command = new local.Command(
    name,
    {
      create: "node -",
      stdin: script,
      environment: {
        [REQUEST_VARIABLE]: pulumi.output(request).apply((known) => JSON.stringify({ ...known, context })),
        ...(kubeconfig === undefined ? {} : { [KUBECONFIG_VARIABLE]: pulumi.secret(kubeconfig) }),
      },
      logging: "none",
    },
    { ...opts, ignoreChanges: ["create", "stdin", "environment", "logging"], customTimeouts: { create: TIMEOUT } },
  );
  // A secret kubeconfig makes everything of the command a secret; what it prints is none.
  return pulumi.unsecret(command.stdout).apply((stdout) => {
    const answer = parse(stdout);
    if (answer.problem) void pulumi.log.warn(answer.problem, command);
    return answer;
  });
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
