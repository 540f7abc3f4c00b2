import type { DBCluster, DBInstance } from "@aws-sdk/client-rds";
import { isAurora, type Source } from "./source";

/** The days for which a cluster keeps automated backups at least. An instance may keep none. */
const LEAST_RETENTION_DAYS = 1;

/**
 * Returns the database after which the copy of a rehearsal is modelled: the source without what costs time or money and
 * changes no migration. It is in one zone, has no replicas and no backups, nothing watches it, and nobody reaches it
 * from outside of the VPC.
 * @param instanceClass the class of its instance; undefined: the source's
 */
export function rehearsalModel(source: Source, instanceClass: string | undefined): Source {
  if (source.kind === "instance")
    return { ...source, database: { ...instanceModel(source.database, instanceClass), BackupRetentionPeriod: 0 } };
  return {
    ...source,
    database: clusterModel(source.database, instanceClass),
    members: source.members.slice(0, 1).map((member) => instanceModel(member, instanceClass)),
  };
}

function instanceModel(instance: DBInstance, instanceClass: string | undefined): DBInstance {
  const { ProcessorFeatures, ...rest } = unwatched(instance);
  return {
    ...rest,
    // They belong to the source's class.
    ...(instanceClass === undefined && ProcessorFeatures ? { ProcessorFeatures } : {}),
    DBInstanceClass: instanceClass ?? instance.DBInstanceClass,
    MultiAZ: false,
    PubliclyAccessible: false,
    DeletionProtection: false,
  };
}

function clusterModel(cluster: DBCluster, instanceClass: string | undefined): DBCluster {
  const own = isAurora(cluster)
    ? {}
    : { DBClusterInstanceClass: instanceClass ?? cluster.DBClusterInstanceClass, PubliclyAccessible: false };
  return { ...unwatched(cluster), ...own, DeletionProtection: false, BackupRetentionPeriod: LEAST_RETENTION_DAYS };
}

/** Returns a database without what watches it, and without the windows that RDS would have to be told afterwards. */
function unwatched<T extends DBInstance | DBCluster>(database: T): T {
  const {
    MonitoringInterval: _interval,
    MonitoringRoleArn: _role,
    PerformanceInsightsEnabled: _insights,
    DatabaseInsightsMode: _mode,
    EnabledCloudwatchLogsExports: _logs,
    PreferredBackupWindow: _backups,
    PreferredMaintenanceWindow: _maintenance,
    ...rest
  } = database;
  return rest as T;
}
