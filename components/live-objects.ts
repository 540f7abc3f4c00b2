import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { KUBECONFIG_VARIABLE, type ObjectsRequest, REQUEST_VARIABLE } from "../report/reader/request";
import type { Json, ManagedFields } from "./field-conflicts";
import type { ReportReader } from "./job-reports";

/** A Kubernetes object as it exists in the cluster. */
export type LiveObject = { [key: string]: Json } & {
  kind: string;
  metadata: {
    [key: string]: Json | undefined;
    name: string;
    annotations?: Record<string, string>;
    managedFields?: (ManagedFields & { [key: string]: Json })[];
  };
};

/** The objects in the cluster, or the reason why they are unknown. */
export type Found = { objects: LiveObject[] } | { unknown: string };

/**
 * Reads objects from the cluster before any resource is declared. It runs `kubectl get` where `pulumi up` runs,
 * because no function of Pulumi's Kubernetes provider can read an object that may not exist. It runs in previews too
 * and never throws.
 *
 * @param resources The resources in kubectl's notation, such as `deployments.apps/notes`. Those that don't exist are
 *   left out of the result.
 * @param opts The provider of the package `command` that runs it.
 */
export async function liveObjects(
  { script, context, kubeconfig }: Pick<ReportReader, "script" | "context" | "kubeconfig">,
  namespace: string,
  resources: string[],
  opts?: pulumi.InvokeOptions,
): Promise<Found> {
  const request: ObjectsRequest = { namespace, context, resources };
  const given = await new Promise<string | undefined>((resolve) => pulumi.output(kubeconfig).apply(resolve));
  try {
    const { stdout } = await local.run(
      {
        command: "node -",
        stdin: script,
        environment: {
          [REQUEST_VARIABLE]: JSON.stringify(request),
          ...(given === undefined ? {} : { [KUBECONFIG_VARIABLE]: given }),
        },
        logging: "none",
      },
      opts,
    );
    return JSON.parse(stdout) as Found;
  } catch (error) {
    // The error's message contains the whole command and its output; only the first line states the cause.
    return {
      unknown: String((error as Error).message)
        .split("\n")[0]!
        .slice(0, 200),
    };
  }
}
