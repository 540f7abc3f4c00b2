import type { Json } from "../provider";

/**
 * An error with which RDS answers a call. Its code and message are those of RDS (API reference, "Common errors" of each
 * action), so that what a user finds about them on the web applies here.
 */
export class RdsError extends Error {
  readonly data: Json;

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = code;
    this.data = { code, status: code.includes("NotFound") ? 404 : code === "AccessDenied" ? 403 : 400 };
  }
}

export type Kind = "instance" | "cluster";

/** The errors of RDS; most have different names for instances and for Aurora clusters. */
export const rdsErrors = {
  instanceNotFound(kind: Kind, identifier: string): RdsError {
    return kind === "instance"
      ? new RdsError("DBInstanceNotFound", `DBInstance ${identifier} not found.`)
      : new RdsError("DBClusterNotFoundFault", `DBCluster ${identifier} not found.`);
  },
  instanceNotAvailable(kind: Kind, identifier: string): RdsError {
    return kind === "instance"
      ? new RdsError(
          "InvalidDBInstanceState",
          `Cannot create a snapshot because the database instance ${identifier} is not currently in the available state.`,
        )
      : new RdsError("InvalidDBClusterStateFault", `DBCluster ${identifier} is not in available state.`);
  },
  instanceExists(kind: Kind): RdsError {
    return kind === "instance"
      ? new RdsError("DBInstanceAlreadyExists", "DB instance already exists")
      : new RdsError("DBClusterAlreadyExistsFault", "DB Cluster already exists");
  },
  snapshotExists(kind: Kind, identifier: string): RdsError {
    const code = kind === "instance" ? "DBSnapshotAlreadyExists" : "DBClusterSnapshotAlreadyExistsFault";
    return new RdsError(
      code,
      `Cannot create the snapshot because a snapshot with the identifier ${identifier} already exists.`,
    );
  },
  snapshotNotFound(kind: Kind, identifier: string): RdsError {
    return kind === "instance"
      ? new RdsError("DBSnapshotNotFound", `DBSnapshot not found: ${identifier}`)
      : new RdsError("DBClusterSnapshotNotFoundFault", `DBClusterSnapshot not found: ${identifier}`);
  },
  snapshotNotAvailable(kind: Kind, doing: string, identifier: string, status: string): RdsError {
    const code = kind === "instance" ? "InvalidDBSnapshotState" : "InvalidDBClusterSnapshotStateFault";
    return new RdsError(code, `Cannot ${doing} the snapshot ${identifier} because it is in the state ${status}.`);
  },
  snapshotQuota(): RdsError {
    return new RdsError("SnapshotQuotaExceeded", "Cannot create more than 100 manual snapshots");
  },
  invalidIdentifier(parameter: string): RdsError {
    return new RdsError(
      "InvalidParameterValue",
      `The parameter ${parameter} is not a valid identifier. Identifiers must begin with a letter; must contain only ` +
        "ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.",
    );
  },
};

/** Whether the value is a letter followed by letters, digits and single hyphens. RDS stores it in lower case. */
export function isIdentifier(value: unknown, longest: number): value is string {
  return typeof value === "string" && value.length <= longest && /^[a-z](-?[a-z0-9])*$/i.test(value);
}
