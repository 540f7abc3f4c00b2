import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "pg";
import type { Scenario } from "../scenario";
import type { Stage } from "../stage";

/** A scenario in which a migration fails, and its file is corrected. */
export function corrected(
  name: string,
  { sql, by, says, before }: { sql: string; by: string; says: RegExp; before?: (stage: Stage) => Promise<unknown> },
): Scenario {
  let migration = "";
  return {
    name,
    says,
    label: "Next",
    async provoke(stage) {
      await before?.(stage);
      migration = stage.newMigration(sql);
      stage.newImage();
      return (await stage.up()).text;
    },
    first: { what: "corrects the migration", do: (stage) => stage.cli.addMigration(migration, by) },
  };
}

/** Migrations that fail, or that leave something else than they promise. */
export const migrations: readonly Scenario[] = [
  corrected("A migration fails in its transaction", {
    sql: "ALTER TABLE notes ADD COLUMN drill_a text;\nSELECT 1 / 0;\n",
    by: "ALTER TABLE notes ADD COLUMN drill_a text;\n",
    says: /rolled back; it is as it was before/,
  }),
  corrected("A migration fails in its steps", {
    before: (stage) => stage.sql("INSERT INTO notes (subject) VALUES ('one'), ('two')"),
    sql: "CREATE INDEX CONCURRENTLY drill_one ON notes (subject);\nCREATE UNIQUE INDEX CONCURRENTLY drill_two ON notes (pinned);\n",
    by: "CREATE INDEX CONCURRENTLY drill_one ON notes (subject);\nCREATE INDEX CONCURRENTLY drill_two ON notes (pinned);\n",
    says: /1 of its 2 statements are applied and stay/,
  }),
  lockTimeout(),
  {
    name: "Verification finds the database other than promised",
    async provoke(stage) {
      stage.newMigration(
        "INSERT INTO notes (id, subject) SELECT nextval(pg_get_serial_sequence('notes', 'id')) + 1, 'by hand';\n",
      );
      stage.newImage();
      return (await stage.up()).text;
    },
    says: /FAILED \(verify\)/,
    label: "Next",
    first: {
      what: "adds the migration that the message describes",
      do: (stage) =>
        stage.newMigration("SELECT setval(pg_get_serial_sequence('notes', 'id'), (SELECT max(id) FROM notes));\n"),
    },
  },
];

function lockTimeout(): Scenario {
  let holder: Client | undefined;
  return {
    name: "A lock is not obtained in time",
    async provoke(stage) {
      stage.set("migrations.lockRetryTimeout", "3s");
      stage.set("migrations.lockTimeout", "1s");
      stage.newMigration("ALTER TABLE notes ADD COLUMN drill_lock text;\n");
      stage.newImage();
      // The session begins when preflight has looked, as those do that make a release fail at night.
      const release = stage.up();
      await stage.snapshotTaken();
      holder = await stage.session();
      await holder.query("BEGIN; LOCK TABLE notes IN ACCESS SHARE MODE");
      return (await release).text;
    },
    says: /FAILED \(lock-not-obtained\)[\s\S]*Held by: pid/,
    label: "Next",
    first: { what: "ends the session that the message names", do: () => holder?.end() },
  };
}

/** What preflight refuses before the backup. */
export const preflight: readonly Scenario[] = [
  {
    name: "Another tool left a migration unfinished",
    async provoke(stage) {
      const migration = stage.newMigration("ALTER TABLE notes ADD COLUMN drill_unfinished text;\n");
      await stage.sql(
        `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, applied_steps_count)
         VALUES (gen_random_uuid()::text, 'unknown', '${migration}', now(), 0)`,
      );
      stage.newImage();
      return (await stage.up()).text;
    },
    says: /FAILED \(preflight\)/,
    label: "Next",
  },
  {
    name: "An applied migration was edited",
    async provoke(stage) {
      const migration = stage.newMigration("ALTER TABLE notes ADD COLUMN drill_edited text;\n");
      stage.newImage();
      await stage.up();
      edited.file = join(stage.cli.migrations, migration, "migration.sql");
      edited.text = readFileSync(edited.file, "utf8");
      edited.name = migration;
      stage.cli.addMigration(migration, `${edited.text}-- edited\n`);
      stage.newImage();
      return (await stage.up()).text;
    },
    says: /Migrations were edited after they were applied/,
    label: "Next",
    first: { what: "restores the file", do: (stage) => stage.cli.addMigration(edited.name, edited.text) },
  },
  {
    name: "The schema was changed by hand",
    async provoke(stage) {
      await stage.sql("ALTER TABLE notes ADD COLUMN drill_by_hand text");
      stage.newMigration("ALTER TABLE notes ADD COLUMN drill_pending text;\n");
      stage.newImage();
      return (await stage.up()).text;
    },
    says: /somebody changed it by hand/,
    label: "Next",
    fill: (command) => command.replace("--name NAME", "--name drill_by_hand"),
  },
];

const edited = { file: "", name: "", text: "" };
