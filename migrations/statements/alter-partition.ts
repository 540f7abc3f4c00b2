import type { AlterTableCmd, AlterTableType, PartitionCmd } from "libpg-query";
import { keyOf, nameOf, nameText } from "../sql/identifier";
import type { AlteredBefore, Subcommand } from "./family";
import { partitionAdded, partitionAttached, partitionRemoved } from "./partitions";
import { notInHistory, type Undo } from "./undo";

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
      if (bound) schema.definitions?.set({ kind: "bound of", key: keyOf(child.name) }, { PartitionBoundSpec: bound });
    },
    undo: detach,
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
      schema.definitions?.delete({ kind: "bound of", key: keyOf(child.name) });
    },
    undo: attachAgain,
  },
  AT_DetachPartitionFinalize: { opinion: "harmless", lock: "SHARE UPDATE EXCLUSIVE" },
  AT_AddInherit: { opinion: { unknown: "queries on the parent find the table's rows, too" } },
  AT_DropInherit: { opinion: { unknown: "queries on the parent no longer find the table's rows" } },
} satisfies Partial<Record<AlterTableType, Subcommand>>;

/** The partition that a subcommand attaches or detaches. */
export function partitionOf({ def }: AlterTableCmd): PartitionCmd | undefined {
  return def && "PartitionCmd" in def ? def.PartitionCmd : undefined;
}

function detach(cmd: AlterTableCmd, { table, schema, key, alter }: AlteredBefore): Undo[] {
  const partition = partitionOf(cmd)?.name;
  if (!partition) return [];
  const gets = !table?.known || table.constraints.length > 0 || schema.indexesOf(key).length > 0;
  return [
    {
      of: { kind: "bound of", key: keyOf(nameOf(partition)) },
      sql: [alter(`DETACH PARTITION ${nameText(nameOf(partition))}`)],
      ...(gets && { note: "The indexes and constraints that it got as a partition stay." }),
    },
  ];
}

function attachAgain(cmd: AlterTableCmd, { schema, write, alter }: AlteredBefore): Undo[] {
  const { name: partition, concurrent } = partitionOf(cmd) ?? {};
  if (!partition) return [];
  const of = { kind: "bound of", key: keyOf(nameOf(partition)) } as const;
  const node = schema.definitions?.get(of)?.node;
  const bound = node && write(node);
  if (bound === undefined) return [{ of, never: notInHistory }];
  return [
    {
      of,
      sql: [alter(`ATTACH PARTITION ${nameText(nameOf(partition))} ${bound}`)],
      note: concurrent
        ? "The check that DETACH CONCURRENTLY has left on it stays."
        : "It fails if a row doesn't belong into the partition by then.",
    },
  ];
}
