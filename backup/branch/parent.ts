import { OtherBranch } from "../failures/branch";
import type { NeonBranch, NeonEndpoint } from "../neon/answers";

/** What decides which branch is backed up. */
export interface ParentQuestion {
  /** The project, for messages. */
  readonly project: string;
  /** The setting `backup.branch.parent`: a branch's id or name; undefined if it is not set. */
  readonly wanted: string | undefined;
  /** The server that the migration connects to. */
  readonly host: string;
  readonly port: number;
  readonly endpoints: readonly NeonEndpoint[];
  readonly branches: readonly NeonBranch[];
}

/** The branch that is backed up, and whether the connection was seen to lead to it. */
export interface Parent {
  readonly branch: NeonBranch;
  readonly seen: boolean;
}

/**
 * Finds the branch behind the server that the migration connects to: a host of Neon begins with the id of its compute,
 * `ep-…`, with `-pooler` after it for the pooled one (https://neon.com/docs/connect/connection-pooling).
 * @throws OtherBranch if it is not the branch that the settings name, or not of this project
 */
export function parentOf({ project, wanted, host, port, endpoints, branches }: ParentQuestion): Parent {
  const id = (host.split(".")[0] ?? "").replace(/-pooler$/, "");
  const endpoint = endpoints.find((each) => each.id === id || each.host === host || each.host === `${host}:${port}`);
  const named = wanted === undefined ? undefined : branches.find((each) => each.id === wanted || each.name === wanted);
  if (wanted !== undefined && !named)
    throw new OtherBranch(
      `project ${project} has no branch ${wanted}`,
      "correct backup.branch.parent, or leave it out: the branch is found by the database's host",
    );
  if (!endpoint) {
    if (id.startsWith("ep-"))
      throw new OtherBranch(
        `${host} is no compute of Neon's project ${project}`,
        "correct backup.branch.project, or the connection of the migration",
      );
    if (!named)
      throw new OtherBranch(
        `which branch of project ${project} answers at ${host} is unknown, because it is no host of Neon`,
        "set backup.branch.parent to the branch's id, or give the migration Neon's own host (ep-….neon.tech)",
      );
    return { branch: named, seen: false };
  }
  const branch = branches.find((each) => each.id === endpoint.branch_id);
  if (!branch || (named && named.id !== branch.id))
    throw new OtherBranch(
      `${host} is branch ${branch?.name ?? endpoint.branch_id}, and backup.branch.parent is ${wanted}`,
      "correct backup.branch.parent, or the connection of the migration",
    );
  return { branch, seen: true };
}
