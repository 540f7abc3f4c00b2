import { addQueryResult } from "../schema/definition";
import { enterDependent } from "../schema/dependents";
import { relationName, there } from "../schema/expectation";
import { usesOf } from "../schema/uses";
import { viewColumns } from "../schema/view-columns";
import { identifier, keyOf, nameOf, nameText } from "../sql/identifier";
import type { Dropped, Drops, Family } from "./family";
import { onTable } from "./policies";
import { holds, skipped } from "./replay-rules";
import { dropRelation } from "./tables";
import { notInHistory, perhapsBefore } from "./undo";

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
    undo(statement, { schema, write }) {
      const { view, replace } = statement;
      if (!view) return [];
      const of = { kind: "view", key: keyOf(nameOf(view)) } as const;
      const existing = replace ? schema.table(nameOf(view)) : undefined;
      const sql = [`DROP VIEW ${nameText(nameOf(view))}`];
      const note = { note: perhapsBefore.replace("IF NOT EXISTS", "OR REPLACE") };
      if (!existing) return [{ of, sql, drops: true, after: true, ...(replace && note) }];
      const known = schema.definitions?.get(of)?.node;
      const before =
        known && "ViewStmt" in known ? write({ ViewStmt: { ...known.ViewStmt, replace: true } }) : undefined;
      const same = existing.shows !== undefined && existing.shows.join() === viewColumns(statement, schema)?.join();
      if (before !== undefined && same) return [{ of, sql: [before] }];
      const never = "CREATE OR REPLACE VIEW can't take columns away, and to drop the view would drop its privileges";
      return [{ of, never: before === undefined ? notInHistory : never }];
    },
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
    undo: () => [],
  },
  RuleStmt: {
    opinion: "judged",
    kind: () => "CREATE RULE",
    lock: ({ relation }, _schema, effects) => relation && effects.touch(nameOf(relation), "ACCESS EXCLUSIVE"),
    replay: holds,
    apply(statement, schema) {
      const { relation, rulename = "" } = statement;
      if (relation)
        schema.definitions?.set(
          { kind: "rule", key: keyOf(nameOf(relation)), part: rulename },
          { RuleStmt: statement },
        );
    },
    undo({ relation, rulename = "", replace }, { schema, write }) {
      if (!relation) return [];
      const of = { kind: "rule", key: keyOf(nameOf(relation)), part: rulename } as const;
      const known = replace ? schema.definitions?.get(of) : undefined;
      const sql = `DROP RULE ${identifier(rulename)} ON ${nameText(nameOf(relation))}`;
      if (!known) return [{ of, sql: [sql], drops: true }];
      const before =
        known.node && "RuleStmt" in known.node
          ? write({ RuleStmt: { ...known.node.RuleStmt, replace: true } })
          : undefined;
      return before === undefined ? [{ of, never: notInHistory }] : [{ of, sql: [before] }];
    },
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
