import type { Node } from "libpg-query";
import type { TableEffect } from "../../migrations/schema/effect";
import { blockedBy } from "../../migrations/sql/locks";
import { named, target } from "../names";
import { commandsOf } from "../prepare/commands";
import { unblock } from "../safe/unblock";
import { defineRule } from "./rule";
import { heaviestOf, severityOf, waiting } from "./waiting";

const verbs = {
  none: "",
  rows: "Changes rows of",
  scan: "Reads every row of",
  index: "Builds an index on",
  rewrite: "Rewrites every row of",
};

/** This rule reports statements that process a whole table while they hold a lock that blocks the app's queries. */
export const workUnderLock = defineRule({
  finds: {
    "index-blocks-writes": { classes: ["blocking"], bad: "CREATE INDEX posts_title_idx ON posts (title);" },
    "index-under-lock": {
      classes: ["blocking"],
      bad: "ALTER TABLE users ADD CONSTRAINT users_name_key UNIQUE (name);",
    },
    "scan-under-lock": {
      classes: ["blocking"],
      bad: "ALTER TABLE users ADD CONSTRAINT users_age_check CHECK (age >= 0);",
    },
    "rewrite-blocks": { classes: ["blocking"], bad: "ALTER TABLE users ALTER COLUMN age TYPE BIGINT;" },
    "reindex-blocks": { classes: ["blocking"], bad: "REINDEX TABLE users;" },
    "refresh-blocks-reads": { classes: ["blocking"], bad: "REFRESH MATERIALIZED VIEW totals;" },
  },
  statement(statement, facts) {
    const { existing, node } = statement;
    const blocked = existing.filter(({ lock }) => blockedBy(lock) !== "nothing");
    const heaviest = heaviestOf(
      existing.filter(({ work }) => work !== "none" && work !== "rows"),
      facts,
    );
    if (!heaviest || blocked.length === 0) return [];
    const { band, table } = heaviest;
    const because = table.because ? `: ${table.because}` : "";
    const assumed = table.uncertain ? " This is assumed: the history doesn't tell what was there before." : "";
    return [
      {
        rule: ruleOf(node, table),
        severity: severityOf(band),
        target: target(table.name, objectOf(node)),
        what: `${verbs[table.work]} ${named(table.name)} under a lock of mode ${table.lock}${because}.${assumed}`,
        who: waiting(blocked),
        howLong: facts.duration(band, table.name, statement),
        safe: unblock(statement, table, facts),
      },
    ];
  },
});

function ruleOf(node: Node, { work }: TableEffect) {
  if ("IndexStmt" in node) return "index-blocks-writes";
  if ("ReindexStmt" in node) return "reindex-blocks";
  if ("RefreshMatViewStmt" in node) return "refresh-blocks-reads";
  if ("VacuumStmt" in node || "ClusterStmt" in node) return "rewrite-blocks";
  return work === "rewrite" ? "rewrite-blocks" : work === "index" ? "index-under-lock" : "scan-under-lock";
}

/** Returns the column or object besides the table that a statement is about; undefined if there is not exactly one. */
function objectOf(node: Node): string | undefined {
  if ("IndexStmt" in node) return node.IndexStmt.idxname ?? "index";
  const names = commandsOf(node).flatMap(({ cmd: { name, def } }) => {
    if (name !== undefined) return [name];
    if (def && "ColumnDef" in def) return [def.ColumnDef.colname ?? ""];
    return def && "Constraint" in def && def.Constraint.conname !== undefined ? [def.Constraint.conname] : [];
  });
  return names.length === 1 ? names[0] : undefined;
}
