import type { AlterTableCmd, AlterTableType, PartitionCmd } from "libpg-query";
import { keyOf, nameOf } from "../sql/identifier";
import type { Subcommand } from "./family";
import { partitionAdded, partitionAttached, partitionRemoved } from "./partitions";

/** The subcommands of ALTER TABLE that turn a table into a partition or child, or end this. */
export const alterPartition = {
  AT_AttachPartition: {
    opinion: "judged",
    lock: "SHARE UPDATE EXCLUSIVE",
    work(cmd, { name, schema, effects }) {
      const { name: partition, bound = {} } = partitionOf(cmd) ?? {};
      if (!partition) return;
      partitionAdded(name, bound, schema, effects);
      partitionAttached(name, nameOf(partition), bound, schema, effects);
    },
    apply(cmd, table, schema) {
      const { name: partition, bound } = partitionOf(cmd) ?? {};
      if (!partition) return;
      const child = schema.require(nameOf(partition));
      child.parent = keyOf(table.name);
      child.isDefault = bound?.is_default === true;
      table.partitioned = true;
    },
  },
  AT_DetachPartition: {
    opinion: "judged",
    lock: (cmd) => (partitionOf(cmd)?.concurrent ? "SHARE UPDATE EXCLUSIVE" : "ACCESS EXCLUSIVE"),
    work(cmd, { name, schema, effects }) {
      const { name: partition, concurrent } = partitionOf(cmd) ?? {};
      if (!partition) return;
      if (concurrent) effects.touch(nameOf(partition), "SHARE UPDATE EXCLUSIVE");
      else partitionRemoved(name, nameOf(partition), schema, effects);
    },
    apply(cmd, _table, schema) {
      const partition = partitionOf(cmd)?.name;
      if (!partition) return;
      const child = schema.require(nameOf(partition));
      child.parent = undefined;
      child.isDefault = false;
    },
  },
  AT_DetachPartitionFinalize: { opinion: "harmless", lock: "SHARE UPDATE EXCLUSIVE" },
  AT_AddInherit: { opinion: { unknown: "queries on the parent find the table's rows, too" } },
  AT_DropInherit: { opinion: { unknown: "queries on the parent no longer find the table's rows" } },
} satisfies Partial<Record<AlterTableType, Subcommand>>;

/** The partition that a subcommand attaches or detaches. */
export function partitionOf({ def }: AlterTableCmd): PartitionCmd | undefined {
  return def && "PartitionCmd" in def ? def.PartitionCmd : undefined;
}
