import { nameOf } from "../../migrations/sql/identifier";
import { named, target } from "../names";
import { defineRule } from "./rule";
import { always, stops } from "./words";

const note = "Write INSERT … VALUES, or load the rows with a program of its own.";
const good = "INSERT INTO posts (id, title) VALUES (1, 'first');";

/** This rule reports COPY … FROM, which has no rows to read in a migration. */
export const copyRows = defineRule({
  finds: {
    "copy-without-rows": { classes: ["failing"], bad: "COPY posts FROM STDIN;", good },
    "copy-from-server": { classes: ["failing"], bad: "COPY posts FROM '/tmp/posts.csv';", good },
  },
  statement({ node }) {
    if (!("CopyStmt" in node) || !node.CopyStmt.is_from) return [];
    const { relation, filename, is_program } = node.CopyStmt;
    const name = relation ? nameOf(relation) : { name: "" };
    const base = { target: target(name), who: stops, safe: { migrations: [], note } };
    if (filename === undefined)
      return [
        {
          ...base,
          rule: "copy-without-rows",
          severity: "error",
          what: `Copies rows into ${named(name)} from its client, and a migration sends none: the lines below are read as SQL.`,
          howLong: always,
        },
      ];
    const [source, role] = is_program ? ["a program", "pg_execute_server_program"] : ["a file", "pg_read_server_files"];
    return [
      {
        ...base,
        rule: "copy-from-server",
        severity: "warning",
        what: `Copies rows into ${named(name)} from ${source} on the database server, which needs role ${role}; a managed server refuses it.`,
        howLong: "On every attempt, where it is refused",
      },
    ];
  },
});
