import type { AlterTableCmd, AlterTableType, DefElem } from "libpg-query";
import type { Table } from "../schema/objects";
import { listOf } from "../sql/constant";
import { identifier, keyOf } from "../sql/identifier";
import type { AlteredBefore, Subcommand } from "./family";
import { notInHistory, type Undo } from "./undo";

/** The storage parameters that need ACCESS EXCLUSIVE. All others need SHARE UPDATE EXCLUSIVE. Source: reloptions.c. */
const strongOptions = new Set(["user_catalog_table", "security_barrier", "security_invoker", "check_option"]);

const options: Subcommand = {
  opinion: "harmless",
  lock(cmd) {
    const strong = optionsIn(cmd).some(({ defname = "" }) => strongOptions.has(defname));
    return strong ? "ACCESS EXCLUSIVE" : "SHARE UPDATE EXCLUSIVE";
  },
  apply(cmd, table, schema) {
    for (const option of optionsIn(cmd)) {
      const object = { kind: "option of", key: keyOf(table.name), part: option.defname ?? "" } as const;
      if (cmd.subtype === "AT_SetRelOptions") schema.definitions?.set(object, { DefElem: option });
      else schema.definitions?.delete(object);
    }
  },
  undo: (cmd, before) => optionsIn(cmd).flatMap((option) => earlierOption(option, before)),
};

function optionsIn({ def }: AlterTableCmd): DefElem[] {
  return listOf(def).flatMap((item) => ("DefElem" in item ? [item.DefElem] : []));
}

function earlierOption(
  { defname = "", defnamespace }: DefElem,
  { key, table, schema, write, alter }: AlteredBefore,
): Undo[] {
  const of = { kind: "option of", key, part: defname } as const;
  const known = schema.definitions?.get(of);
  const text = known?.node && write(known.node);
  if (!table?.known || defnamespace !== undefined || (known && text === undefined))
    return [{ of, never: notInHistory }];
  return [{ of, sql: [alter(text === undefined ? `RESET (${identifier(defname)})` : `SET (${text})`)] }];
}

/** Takes back a change between two states of a table, of which a new table has the first. */
function back(command: string, changed: (table: Table) => boolean): Required<Subcommand>["undo"] {
  return (_, { key, table, alter }) => {
    const of = { kind: "table", key } as const;
    if (!table?.known) return [{ of, never: notInHistory }];
    return changed(table) ? [{ of, sql: [alter(command)] }] : [];
  };
}

const copies: Subcommand = { opinion: "judged", work: (_, { on }) => on("rewrite", "the table is copied") };
const rewrites: Subcommand = { opinion: "judged", work: (_, { on }) => on("rewrite", "the table is written anew") };
const ofRule: Subcommand = { opinion: { unknown: "a rule changes what queries on the table do" } };
const internal: Subcommand = { opinion: { unknown: "Postgres makes it itself, of other subcommands" } };
const enablesTrigger: Subcommand = { opinion: "harmless", lock: "SHARE ROW EXCLUSIVE" };
const disablesTrigger: Subcommand = { opinion: "judged", lock: "SHARE ROW EXCLUSIVE" };

/** The subcommands of ALTER TABLE that concern the whole table: storage, triggers and rules, row security, owner. */
export const alterOther = {
  AT_ChangeOwner: { opinion: "judged" },
  AT_SetLogged: rewrites,
  AT_SetUnLogged: rewrites,
  AT_SetTableSpace: copies,
  AT_SetAccessMethod: copies,
  AT_SetRelOptions: options,
  AT_ResetRelOptions: options,
  AT_ClusterOn: { opinion: "harmless", lock: "SHARE UPDATE EXCLUSIVE" },
  AT_DropCluster: { opinion: "harmless", lock: "SHARE UPDATE EXCLUSIVE" },
  AT_ReplicaIdentity: { opinion: "judged" },
  AT_EnableTrig: enablesTrigger,
  AT_EnableAlwaysTrig: enablesTrigger,
  AT_EnableReplicaTrig: { opinion: "judged", lock: "SHARE ROW EXCLUSIVE" },
  AT_EnableTrigAll: enablesTrigger,
  AT_EnableTrigUser: enablesTrigger,
  AT_DisableTrig: disablesTrigger,
  AT_DisableTrigAll: disablesTrigger,
  AT_DisableTrigUser: disablesTrigger,
  AT_EnableRule: ofRule,
  AT_EnableAlwaysRule: ofRule,
  AT_EnableReplicaRule: { opinion: "judged" },
  AT_DisableRule: { opinion: "judged" },
  AT_EnableRowSecurity: {
    opinion: "judged",
    apply(_, table) {
      table.rowSecurity = true;
    },
    undo: back("DISABLE ROW LEVEL SECURITY", ({ rowSecurity }) => !rowSecurity),
  },
  AT_DisableRowSecurity: {
    opinion: "judged",
    apply(_, table) {
      table.rowSecurity = false;
    },
    undo: back("ENABLE ROW LEVEL SECURITY", ({ rowSecurity }) => rowSecurity),
  },
  AT_ForceRowSecurity: { opinion: "judged" },
  AT_NoForceRowSecurity: { opinion: "judged" },
  AT_AddOf: { opinion: "harmless" },
  AT_DropOf: { opinion: "harmless" },
  AT_DropOids: { opinion: "harmless" },
  AT_GenericOptions: { opinion: { unknown: "another server gets the option" } },
  AT_AddColumnToView: internal,
  AT_AddIndex: internal,
  AT_AddIndexConstraint: internal,
  AT_CookedColumnDefault: internal,
  AT_ReAddComment: internal,
  AT_ReAddConstraint: internal,
  AT_ReAddDomainConstraint: internal,
  AT_ReAddIndex: internal,
  AT_ReAddStatistics: internal,
  AT_ReplaceRelOptions: internal,
} satisfies Partial<Record<AlterTableType, Subcommand>>;
