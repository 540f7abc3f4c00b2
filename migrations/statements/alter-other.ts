import type { AlterTableType } from "libpg-query";
import type { Subcommand } from "./family";

/** The storage parameters that need ACCESS EXCLUSIVE. All others need SHARE UPDATE EXCLUSIVE. Source: reloptions.c. */
const strongOptions = new Set(["user_catalog_table", "security_barrier", "security_invoker", "check_option"]);

const options: Subcommand = {
  opinion: "harmless",
  lock({ def }) {
    const items = def && "List" in def ? (def.List.items ?? []) : [];
    const strong = items.some((item) => "DefElem" in item && strongOptions.has(item.DefElem.defname ?? ""));
    return strong ? "ACCESS EXCLUSIVE" : "SHARE UPDATE EXCLUSIVE";
  },
};

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
  },
  AT_DisableRowSecurity: {
    opinion: "judged",
    apply(_, table) {
      table.rowSecurity = false;
    },
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
