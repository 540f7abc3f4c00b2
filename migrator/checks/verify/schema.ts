import { describeExpectation, isMet } from "../../../migrations/schema/expectation";
import { counted } from "../../../text/counted";
import { nextCommand } from "../../next-command";
import { compareHistory } from "../../records/history-state";
import type { VerifyCheck } from "./context";

/** Checks whether every migration of the folder is applied and finished. */
export const finished: VerifyCheck = {
  name: "finished",
  kind: "history",
  async run({ run, migrations }) {
    const { pending, unfinished, edited } = compareHistory(migrations, await run.table.read(run.session));
    const evidence = [
      ...pending.map(({ name }) => `  ${name}: pending`),
      ...unfinished.map(({ migrationName }) => `  ${migrationName}: unfinished`),
      ...edited.map(({ migration }) => `  ${migration.name}: edited`),
    ];
    const what = "Not every migration of the folder is applied and finished.";
    return {
      findings: evidence.length > 0 ? [{ what, evidence, next: nextCommand("status", run.settings) }] : [],
      facts: counted(migrations.length, "migration"),
    };
  },
};

/** Compares the catalog with what the migrations promise. */
export const schemaComplete: VerifyCheck = {
  name: "schema-complete",
  kind: "data",
  async run({ promises, catalog }) {
    const unmet = promises.filter((each) => !isMet(each, catalog));
    const broken = unmet.filter(({ uncertain }) => uncertain === undefined);
    const evidence = broken.slice(0, 30).map((each) => `  ${describeExpectation(each, catalog)}`);
    const what = `${broken.length} of ${promises.length} things that the migrations make are not as they leave them.`;
    const next =
      "make what is missing in a new migration and release that; or, if the database is right as it is, set migrations.checks.schema-complete to warn";
    const [unsure] = unmet.filter(({ uncertain }) => uncertain !== undefined);
    const untold = unmet.length - broken.length;
    const unknown = unsure ? `; unknown: ${untold} that ${unsure.uncertain} may have taken back` : "";
    return {
      findings: broken.length > 0 ? [{ what, evidence, next }] : [],
      facts: `${promises.length - unmet.length} of ${promises.length} exist${unknown}`,
    };
  },
};

/** Looks for invalid indexes. */
export const validIndexes: VerifyCheck = {
  name: "valid-indexes",
  kind: "data",
  async run({ catalog }) {
    const invalid = Object.entries(catalog).filter(
      ([key, definition]) => key.startsWith("index ") && definition.endsWith("(INVALID)"),
    );
    const evidence = invalid.map(([key]) => `  ${key}`);
    const what = "Indexes are invalid: they cost every write and help no query, and a unique one guarantees nothing.";
    const next = `DROP INDEX CONCURRENTLY ${invalid[0]?.[0].slice("index ".length)}; and build it again in a new migration`;
    return {
      findings: invalid.length > 0 ? [{ what, evidence, next }] : [],
      facts: counted(Object.keys(catalog).filter((key) => key.startsWith("index ")).length, "index", "indexes"),
    };
  },
};
