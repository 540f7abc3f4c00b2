import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { KUBECONFIG_VARIABLE, type ObjectsRequest, REQUEST_VARIABLE } from "../report/reader/request";
import type { Json, ManagedFields } from "./field-conflicts";
import type { ReportReader } from "./job-reports";

/** An object as the cluster has it. */
export type LiveObject = { [key: string]: Json } & {
  kind: string;
  metadata: {
    [key: string]: Json | undefined;
    name: string;
    annotations?: Record<string, string>;
    managedFields?: (ManagedFields & { [key: string]: Json })[];
  };
};

/** What the cluster has, or why that is not known. */
export type Found = { objects: LiveObject[] } | { unknown: string };

/**
 * Asks the cluster for objects, before anything is declared: by `kubectl get`, where `pulumi up` runs, as no function of
 * Pulumi's Kubernetes provider reads an object that may not be there. Runs in previews too. Never throws.
 *
 * @param resources `deployments.apps/notes`, …; those that are not there are left out of the answer
 */
export async function liveObjects(
  { script, context, kubeconfig }: Pick<ReportReader, "script" | "context" | "kubeconfig">,
  namespace: string,
  resources: string[],
): Promise<Found> {
  const request: ObjectsRequest = { namespace, context, resources };
  const given = await new Promise<string | undefined>((resolve) => pulumi.output(kubeconfig).apply(resolve));
  try {
    const { stdout } = await local.run({
      command: "node -",
      stdin: script,
      environment: {
        [REQUEST_VARIABLE]: JSON.stringify(request),
        ...(given === undefined ? {} : { [KUBECONFIG_VARIABLE]: given }),
      },
      logging: "none",
    });
    return JSON.parse(stdout) as Found;
  } catch (error) {
    // The message repeats the command with all that it printed; its first line says what went wrong.
    return {
      unknown: String((error as Error).message)
        .split("\n")[0]!
        .slice(0, 200),
    };
  }
}
