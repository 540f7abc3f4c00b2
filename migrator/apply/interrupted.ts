import type { PlannedStatement } from "../../migrations/history/plan";
import { nodeOf } from "../../migrations/sql/parse";
import type { Remains } from "../../migrations/statements/remains";
import { remainsOf } from "../../migrations/statements/statements";
import { findRelation, ownRows } from "../db/own-queries";
import type { Run } from "../run";
import { afterIndexBuild, afterReindex } from "./invalid-index";
import { quoted, relationName, type Verdict } from "./verdict";

type Kind<K extends Remains["kind"]> = Extract<Remains, { kind: K }>;

/**
 * Looks for what an interrupted attempt at a statement left behind. The attempt may also have been completed by a run
 * that was killed before it could record so.
 * @param retried true if an earlier attempt at this very statement is recorded
 */
export async function afterInterruption(run: Run, statement: PlannedStatement, retried: boolean): Promise<Verdict> {
  const remains = remainsOf(nodeOf(statement));
  if (remains?.kind === "index") return afterIndexBuild(run, remains, retried);
  if (!remains || !retried) return "run";
  switch (remains.kind) {
    case "reindex":
      return afterReindex(run, remains.relation);
    case "dropped":
      for (const { schema, name } of remains.relations)
        if ((await findRelation(run.session, quoted(schema, name))) !== undefined) return "run";
      return "complete";
    case "object":
      return (await isThere(run, remains)) === remains.present ? "complete" : "run";
    case "detach":
      return afterDetach(run, remains);
  }
}

const queries: Readonly<Record<Kind<"object">["object"], string>> = {
  database: "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1) AS yes",
  tablespace: "SELECT EXISTS (SELECT FROM pg_tablespace WHERE spcname = $1) AS yes",
  subscription:
    "SELECT EXISTS (SELECT FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE subname = $1 AND datname = current_database()) AS yes",
};

async function isThere(run: Run, { object, name }: Kind<"object">): Promise<boolean> {
  const [row] = await ownRows<{ yes: boolean }>(run.session, queries[object], [name]);
  return row!.yes;
}

/**
 * Handles an interrupted DETACH … CONCURRENTLY, which leaves the partition half detached until FINALIZE finishes it.
 */
async function afterDetach(run: Run, { parent, partition }: Kind<"detach">): Promise<Verdict> {
  const [row] = await ownRows<{ pending: boolean }>(
    run.session,
    "SELECT inhdetachpending AS pending FROM pg_inherits WHERE inhparent = $1 AND inhrelid = $2",
    [await findRelation(run.session, relationName(parent)), await findRelation(run.session, relationName(partition))],
  );
  if (!row) return "complete";
  return row.pending
    ? { instead: `ALTER TABLE ${relationName(parent)} DETACH PARTITION ${relationName(partition)} FINALIZE` }
    : "run";
}
