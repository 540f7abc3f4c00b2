import { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { type ClusterRequest, KUBECONFIG_VARIABLE, REQUEST_VARIABLE } from "../report/reader/request";
import type { ReportReader } from "./job-reports";
import { knownValue } from "./known-value";

/** The way to the cluster: the reader's script, and the kubeconfig and the context that kubectl uses. */
export type ClusterAccess = Pick<ReportReader, "script" | "context" | "kubeconfig">;

type WithoutContext<R> = R extends ClusterRequest ? Omit<R, "context"> : never;

/**
 * Asks the cluster with kubectl, where `pulumi up` runs, because no function of Pulumi's Kubernetes provider can read an
 * object that may not exist. It runs in previews too and never throws.
 *
 * @param opts The provider of the package `command` that runs it.
 * @returns the answer, or why there is none
 */
export async function askCluster<Answer extends object>(
  { script, context, kubeconfig }: ClusterAccess,
  request: WithoutContext<ClusterRequest>,
  opts?: pulumi.InvokeOptions,
): Promise<Answer | { unknown: string }> {
  const given = await knownValue<string | undefined>(kubeconfig);
  try {
    const { stdout } = await local.run(
      {
        command: "node -",
        stdin: script,
        environment: {
          [REQUEST_VARIABLE]: JSON.stringify({ ...request, context }),
          ...(given === undefined ? {} : { [KUBECONFIG_VARIABLE]: given }),
        },
        logging: "none",
      },
      opts,
    );
    return JSON.parse(stdout) as Answer;
  } catch (error) {
    // The error's message contains the whole command and its output; only the first line states the cause.
    return {
      unknown: String((error as Error).message)
        .split("\n")[0]!
        .slice(0, 200),
    };
  }
}
