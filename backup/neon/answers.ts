import { z } from "zod";

// The shapes of Neon's answers, as far as they are used. They are those of its OpenAPI file, public-v2-for-users.gen.yaml
// in the package @neondatabase/api-client 2.7.3, which https://api-docs.neon.tech shows.

const branch = z.object({
  id: z.string(),
  project_id: z.string(),
  /** The branch that it was made of; missing for a root branch. */
  parent_id: z.string().optional(),
  /** The place in the parent's log whose data it has. */
  parent_lsn: z.string().optional(),
  parent_timestamp: z.string().optional(),
  name: z.string(),
  /** `init`, `resetting`, `ready` or `archived`. */
  current_state: z.string(),
  /** The state that it is about to get; missing if it stays as it is. */
  pending_state: z.string().optional(),
  created_at: z.string(),
  default: z.boolean(),
  protected: z.boolean(),
  /** The size of its data in bytes. */
  logical_size: z.number().optional(),
});

const operation = z.object({
  id: z.string(),
  action: z.string(),
  /** `finished`, `skipped` and `cancelled` are final; a `failed` one may be tried again by Neon. */
  status: z.string(),
  error: z.string().optional(),
});

const endpoint = z.looseObject({
  id: z.string(),
  host: z.string(),
  branch_id: z.string(),
  /** `read_write` or `read_only`. */
  type: z.string(),
  autoscaling_limit_min_cu: z.number().optional(),
  autoscaling_limit_max_cu: z.number().optional(),
  /** The seconds without a query after which it is suspended; 0: the default of the plan, -1: never. */
  suspend_timeout_seconds: z.number().optional(),
  settings: z.record(z.string(), z.unknown()).optional(),
});

/** What somebody has noted of a branch when it was made. It can't be changed later. */
const annotation = z.object({ value: z.record(z.string(), z.string()).default({}) });

/** A branch of a project. */
export type NeonBranch = z.infer<typeof branch> & { readonly annotation: Readonly<Record<string, string>> };
/** A step that Neon takes by itself, after the request that began it was answered. */
export type NeonOperation = z.infer<typeof operation>;
/** A compute of a branch: the server that is connected to. */
export type NeonEndpoint = z.infer<typeof endpoint>;

/** A branch that is to be made. */
export interface NewBranch {
  readonly name: string;
  readonly parent_id: string;
  /** The moment of the parent whose data it gets. Default: the present. */
  readonly parent_timestamp?: string;
  readonly annotation: Readonly<Record<string, string>>;
  /** The computes that it gets. Default: none, so nobody can connect to it. */
  readonly endpoints?: readonly NewEndpoint[];
}

/** A compute that is to be made. What is left out is as Neon's plan has it. */
export type NewEndpoint = { readonly type: "read_write" } & Partial<
  Pick<NeonEndpoint, "autoscaling_limit_min_cu" | "autoscaling_limit_max_cu" | "suspend_timeout_seconds" | "settings">
>;

const operations = z.array(operation).default([]);

/** The answer to a request for a list of branches, with what is noted of each by its id. */
export const branchesAnswer = z.object({
  branches: z.array(branch),
  annotations: z.record(z.string(), annotation).default({}),
  pagination: z.object({ next: z.string().optional() }).optional(),
});
/** The answer to a request for one branch. */
export const branchAnswer = z.object({ branch, annotation: annotation.optional() });
/** The answer to a request that makes a branch. */
export const createdAnswer = z.object({ branch, operations });
/** The answer to a request that changes or deletes something. It is empty if there was nothing to delete. */
export const operationsAnswer = z.object({ operations });
/** The answer to a request for one operation. */
export const operationAnswer = z.object({ operation });
/** The answer to a request for a list of computes. */
export const endpointsAnswer = z.object({ endpoints: z.array(endpoint) });
/** The answer to a request that makes a compute. */
export const endpointAnswer = z.object({ endpoint, operations });
/** The answer to a request for the project. */
export const projectAnswer = z.object({ project: z.object({ history_retention_seconds: z.number() }) });
/** The answer that refuses a request. */
export const errorAnswer = z.object({ code: z.string().default(""), message: z.string().default("") });
