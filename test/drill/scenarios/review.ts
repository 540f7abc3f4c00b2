import type { Scenario } from "../scenario";

const STALE = '"00000000"';

/** What the review refuses before anything is touched. */
export const review: readonly Scenario[] = [
  {
    name: "An acknowledgement is of another text of the migration",
    async provoke(stage) {
      stage.newMigration("ALTER TABLE notes ADD COLUMN drill_old text;\n");
      stage.newImage();
      await stage.up();
      const migration = stage.newMigration("ALTER TABLE notes DROP COLUMN drill_old;\n");
      stage.newImage();
      const stale = `{migration: ${migration}, finding: drop-column notes.drill_old, checksum: ${STALE}, reason: unused}`;
      stage.set("review", `{refuse: [destructive], acknowledgements: [${stale}]}`);
      return (await stage.up()).text;
    },
    says: /Nothing was touched: database and app are as they were/,
    label: "Once fixed, run",
    first: { what: "takes the checksum that the message shows" },
    // The drill's settings stand on the command line, so that is where the acknowledgement is corrected.
    fill: (command, message) => command.replace(STALE, /"checksum":("[0-9a-f]+")/.exec(message)?.[1] ?? STALE),
  },
];
