import * as aws from "@pulumi/aws/rds";
import type * as pulumi from "@pulumi/pulumi";
import { accountRefused } from "./account-refused";
import { ReleaseError } from "./release-error";

/** The key of a database in RDS. */
export interface DatabaseKey {
  kind: "instance" | "cluster";
  /** The DB identifier, not the resource id (`db-XXXX…`). */
  identifier: string;
}

/** This error reports that RDS doesn't have the database that the snapshot is to be taken of. */
export class DatabaseNotFound extends ReleaseError {
  override readonly name = "DatabaseNotFound";

  constructor({ kind, identifier }: DatabaseKey, what: string, next: string) {
    const noun = kind === "instance" ? "instance" : "cluster";
    super(
      `The snapshot can't be taken: ${what.replace("{database}", `RDS ${noun} ${identifier}`)}\n` +
        "Nothing was touched: the database is unchanged, and the app that was serving goes on serving.\n" +
        next,
    );
  }
}

/** Matches the AWS provider's errors that report that a database doesn't exist. */
const NOT_FOUND =
  /couldn't find resource|query returned no results|no matching RDS|empty result|DBInstanceNotFound|DBClusterNotFound/i;

/**
 * Returns the endpoints of a database, as HOST:PORT. They are names that RDS keeps: a failover changes the addresses
 * behind them, not the names.
 *
 * @returns the endpoint of an instance; of a cluster the writer's endpoint, then the readers'
 * @throws {@link DatabaseNotFound} when RDS doesn't have the database, or can't be asked
 */
export async function databaseEndpoints(key: DatabaseKey, opts?: pulumi.InvokeOptions): Promise<string[]> {
  const hosts = await find(key, opts);
  if (hosts.length > 0) return hosts;
  throw new DatabaseNotFound(
    key,
    "{database} has no endpoint yet; it is probably being created.",
    "When it is available, run the same command again.",
  );
}

/**
 * Returns the ARN of the key that a database is encrypted with; empty if it is not encrypted.
 *
 * @returns undefined if RDS doesn't have the database yet, because the program makes it
 * @throws {@link DatabaseNotFound} when RDS can't be asked
 */
export async function databaseKey(
  { kind, identifier }: DatabaseKey,
  opts?: pulumi.InvokeOptions,
): Promise<string | undefined> {
  try {
    const { kmsKeyId } = await (kind === "instance"
      ? aws.getInstance({ dbInstanceIdentifier: identifier }, opts)
      : aws.getCluster({ clusterIdentifier: identifier }, opts));
    return kmsKeyId;
  } catch (error) {
    if (NOT_FOUND.test(String(error))) return undefined;
    throw accountRefused(error) ?? notTold({ kind, identifier }, error);
  }
}

async function find(key: DatabaseKey, opts?: pulumi.InvokeOptions): Promise<string[]> {
  const { kind, identifier } = key;
  try {
    if (kind === "instance") {
      const { address, port } = await aws.getInstance({ dbInstanceIdentifier: identifier }, opts);
      return address ? [`${address}:${port}`] : [];
    }
    const { endpoint, readerEndpoint, port } = await aws.getCluster({ clusterIdentifier: identifier }, opts);
    return [...new Set([endpoint, readerEndpoint].filter(Boolean))].map((host) => `${host}:${port}`);
  } catch (error) {
    const refused = accountRefused(error);
    if (refused) throw refused;
    if (NOT_FOUND.test(String(error))) {
      const verb = kind === "instance" ? "describe-db-instances" : "describe-db-clusters";
      throw new DatabaseNotFound(
        key,
        "there is no {database} in this account and region.",
        `Correct database.identifier or database.kind, or aws:region and aws:profile (aws rds ${verb} lists what is there), and run the same command again.`,
      );
    }
    throw notTold(key, error);
  }
}

function notTold(key: DatabaseKey, error: unknown): DatabaseNotFound {
  return new DatabaseNotFound(
    key,
    `RDS did not say where {database} is: ${(error as Error).message}`,
    "Correct what it says (region, credentials, rights), then: pulumi up",
  );
}
