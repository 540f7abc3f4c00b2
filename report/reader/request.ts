import type { ReleasePage } from "../page";

/** The request for the Jobs' reports, passed to the reader in the variable {@link REQUEST_VARIABLE} as JSON. */
export interface ReportRequest {
  readonly namespace: string;
  /** The context of the kubeconfig; default: its current one. */
  readonly context?: string | undefined;
  /** The Jobs to read, in the order of the release. */
  readonly jobs: readonly string[];
  /** The page to write; without it only the sizes are read, from the last of the Jobs. */
  readonly page?: (Omit<ReleasePage, Found> & { readonly file: string; readonly fingerprint: string }) | undefined;
}

/** What the reader itself finds out for the page. */
type Found = "at" | "missing" | "logs" | "restoreCheck" | "rehearsal";

/** The request for objects of the cluster as they are, instead of reports. */
export interface ObjectsRequest {
  readonly namespace: string;
  readonly context?: string | undefined;
  /** The resources in kubectl's notation, such as `deployments.apps/notes`. */
  readonly resources: readonly string[];
  /** The labels that the objects must have, in kubectl's notation. Default: the resources are named. */
  readonly selector?: string | undefined;
}

/** The request to hand over objects that another tool made, so that the release can set and remove their fields. */
interface HandOverRequest {
  readonly namespace: string;
  readonly context?: string | undefined;
  readonly handOver: {
    /** The field manager that gets the fields. */
    readonly to: string;
    /** The objects in kubectl's notation, such as `deployments.apps/notes`. */
    readonly resources: readonly string[];
  };
}

/** The request for the address of a Service's load balancer. */
interface AddressRequest {
  readonly namespace: string;
  readonly context?: string | undefined;
  readonly service: string;
  readonly timeoutSeconds: number;
}

/** A request that is answered from the cluster alone. */
export type ClusterRequest = ObjectsRequest | HandOverRequest | AddressRequest;

/** The environment variable that contains the request as JSON. */
export const REQUEST_VARIABLE = "RELEASE_REPORT";

/**
 * The environment variable that contains a kubeconfig's content or path if the provider was given one; otherwise
 * kubectl uses its own.
 */
export const KUBECONFIG_VARIABLE = "RELEASE_KUBECONFIG";
