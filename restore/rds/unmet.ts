import type { DBCluster, DBInstance, ModifyDBClusterMessage, ModifyDBInstanceMessage } from "@aws-sdk/client-rds";

/** A parameter of a Modify call whose value a description has under another name. */
const DESCRIBED: Readonly<Record<string, (database: Described) => unknown>> = {
  EnablePerformanceInsights: ({ PerformanceInsightsEnabled }) => PerformanceInsightsEnabled,
  EnableLocalWriteForwarding: ({ LocalWriteForwardingStatus }) => LocalWriteForwardingStatus === "enabled",
  CACertificateIdentifier: ({ CACertificateIdentifier, CertificateDetails }) =>
    CACertificateIdentifier ?? CertificateDetails?.CAIdentifier,
};

/** The values of a description that Modify calls name in another way. */
type Described = Pick<DBInstance, "PerformanceInsightsEnabled" | "CACertificateIdentifier" | "CertificateDetails"> &
  Pick<DBCluster, "LocalWriteForwardingStatus">;

/** Parameters that say how a call is carried out, and are no setting of the database. */
const NO_SETTINGS = ["DBInstanceIdentifier", "DBClusterIdentifier", "ApplyImmediately"];

/** Returns the parameters of a Modify call that the database doesn't have yet. */
export function unmet(
  database: DBInstance | DBCluster,
  wanted: ModifyDBInstanceMessage | ModifyDBClusterMessage,
): string[] {
  const now: Readonly<Record<string, unknown>> = { ...database };
  return Object.entries(wanted)
    .filter(([name]) => !NO_SETTINGS.includes(name))
    .filter(([name, value]) => {
      const read = Object.hasOwn(DESCRIBED, name) ? DESCRIBED[name] : undefined;
      const has = read ? read(database) : now[name];
      // RDS keeps windows of time in lower case.
      return String(has).toLowerCase() !== String(value).toLowerCase();
    })
    .map(([name]) => name);
}
