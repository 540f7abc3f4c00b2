import type { Json } from "../../provider";

/** The name of an item of a list, by the list's name (the `xmlName` in RDS' model). Others are called `member`. */
const ITEMS: Readonly<Record<string, string>> = {
  AccountQuotas: "AccountQuota",
  DBInstances: "DBInstance",
  DBClusters: "DBCluster",
  DBSnapshots: "DBSnapshot",
  DBClusterSnapshots: "DBClusterSnapshot",
  DBClusterMembers: "DBClusterMember",
  DBClusterOptionGroupMemberships: "DBClusterOptionGroup",
  DBParameterGroups: "DBParameterGroup",
  DomainMemberships: "DomainMembership",
  OptionGroupMemberships: "OptionGroupMembership",
  ProcessorFeatures: "ProcessorFeature",
  ReadReplicaDBInstanceIdentifiers: "ReadReplicaDBInstanceIdentifier",
  TagList: "Tag",
  VpcSecurityGroups: "VpcSecurityGroupMembership",
  AvailabilityZones: "AvailabilityZone",
};

/** Writes a value as the content of an element of RDS' answers. */
export function xml(value: Json, list = ""): string {
  if (Array.isArray(value)) {
    const name = list === "AssociatedRoles" ? "DBClusterRole" : (ITEMS[list] ?? "member");
    return value.map((each) => `<${name}>${xml(each)}</${name}>`).join("");
  }
  if (typeof value === "object" && value !== null)
    return Object.entries(value)
      .filter(([, each]) => each !== null)
      .map(([name, each]) => `<${name}>${xml(each, name)}</${name}>`)
      .join("");
  return String(value).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
