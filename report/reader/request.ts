import type { ReleasePage } from "../page";

/** What the program asks of the reader, in the variable {@link REQUEST_VARIABLE} as JSON. */
export interface ReportRequest {
  readonly namespace: string;
  /** Of the kubeconfig; default: its current one. */
  readonly context?: string | undefined;
  /** The Jobs to read, in the order of the release. */
  readonly jobs: readonly string[];
  /** Write the page; without it only the sizes are read, from the last of the Jobs. */
  readonly page?: (Omit<ReleasePage, "at" | "missing" | "logs"> & { readonly file: string }) | undefined;
}

/** Asks for objects of the cluster as they are, instead of a report. */
export interface ObjectsRequest {
  readonly namespace: string;
  readonly context?: string | undefined;
  /** As kubectl takes them, `deployments.apps/notes`. */
  readonly resources: readonly string[];
}

/** Names the environment variable that holds the request as JSON. */
export const REQUEST_VARIABLE = "RELEASE_REPORT";

/** Holds a kubeconfig's content or path where the provider was given one; else kubectl finds its own. */
export const KUBECONFIG_VARIABLE = "RELEASE_KUBECONFIG";
