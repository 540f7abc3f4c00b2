import { addQueryResult } from "../schema/definition";
import { enterDependent } from "../schema/dependents";
import { relationName, there } from "../schema/expectation";
import { usesOf } from "../schema/uses";
import { viewColumns } from "../schema/view-columns";
import { keyOf, nameOf } from "../sql/identifier";
import type { Dropped, Drops, Family } from "./family";
import { onTable } from "./policies";
import { holds, skipped } from "./replay-rules";
import { dropRelation } from "./tables";

/** Statements about views, materialized views and rules. */
export const views: Family<"ViewStmt" | "RefreshMatViewStmt" | "RuleStmt"> = {
  ViewStmt: {
    opinion: "judged",
    kind: () => "CREATE VIEW",
    lock({ view, replace }, schema, effects) {
      if (replace && view && schema.table(nameOf(view))) effects.touch(nameOf(view), "ACCESS EXCLUSIVE");
    },
    apply(statement, schema, migration) {
      const { view, query } = statement;
      if (!view) return;
      addQueryResult(view, "view", schema, migration, { ViewStmt: statement });
      const made = schema.table(nameOf(view));
      const shows = viewColumns(statement, schema);
      if (made && shows) made.shows = shows;
      enterDependent(schema, "view", keyOf(nameOf(view)), "", usesOf(query, schema));
    },
    expect: ({ view }, schema) => (view ? [there(`view ${relationName(view, schema)}`)] : []),
    replay: holds,
  },
  RefreshMatViewStmt: {
    opinion: "judged",
    kind: () => "REFRESH MATERIALIZED VIEW",
    lock({ relation, concurrent }, _schema, effects) {
      if (!relation) return;
      const [lock, work] = concurrent ? (["EXCLUSIVE", "rows"] as const) : (["ACCESS EXCLUSIVE", "rewrite"] as const);
      effects.touch(nameOf(relation), lock, work, "its query runs anew");
    },
    replay: skipped,
  },
  RuleStmt: {
    opinion: "judged",
    kind: () => "CREATE RULE",
    lock: ({ relation }, _schema, effects) => relation && effects.touch(nameOf(relation), "ACCESS EXCLUSIVE"),
    replay: holds,
  },
};

const view: Dropped = {
  opinion: "judged",
  lock: (name, _schema, effects) => effects.touch(name, "ACCESS EXCLUSIVE"),
  apply: dropRelation,
};

/** The rules for DROP VIEW, DROP MATERIALIZED VIEW and DROP RULE. */
export const viewDrops: Drops<"OBJECT_VIEW" | "OBJECT_MATVIEW" | "OBJECT_RULE"> = {
  OBJECT_VIEW: { ...view, entry: "view" },
  OBJECT_MATVIEW: { ...view, entry: "materialized view" },
  OBJECT_RULE: {
    opinion: "judged",
    lock: (_name, _schema, effects, _statement, object) => effects.touch(onTable(object), "ACCESS EXCLUSIVE"),
  },
};
