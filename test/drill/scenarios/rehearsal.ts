import type { Scenario } from "../scenario";
import { corrected } from "./migration";

/** What ends a release before production is touched, because the migrations were not proved. */
export const rehearsals: readonly Scenario[] = [
  {
    name: "A proof is missing that the environment asks for",
    async provoke(stage) {
      stage.set("policy.proof", "[rehearsal]");
      stage.newMigration("CREATE TABLE drill_proof (id int);\nDROP TABLE drill_proof;\n");
      stage.newImage();
      return (await stage.up()).text;
    },
    says: /- rehearsal: [\s\S]*Nothing was touched: database and app are as they were/,
    label: "Next",
  },
  corrected("A migration fails in its rehearsal", {
    before: (stage) => {
      stage.set("rehearsal.mode", "copy");
      return stage.sql("INSERT INTO notes (subject) VALUES ('same'), ('same')");
    },
    sql: "CREATE UNIQUE INDEX drill_unique ON notes (subject);\n",
    by: "CREATE INDEX drill_unique ON notes (subject);\n",
    says: /The rehearsal has failed[\s\S]*production is untouched; the copy is removed/,
  }),
];
