import { expect, test } from "vitest";
import { runTrial } from "../../trial/run-trial";
import { historyOf, lastOf, NOTES } from "./histories";

test.concurrent("a migration in steps that can be resumed has no findings", async () => {
  const steps = `CREATE INDEX CONCURRENTLY notes_title ON notes (title);
    CREATE INDEX CONCURRENTLY notes_user ON notes (user_id);
    ALTER TABLE notes ADD COLUMN pinned BOOLEAN;`;
  expect((await runTrial(lastOf(historyOf(NOTES, steps)))).findings).toEqual([]);
});

test.concurrent("a procedure that commits half of its work, and can't be called again, is found", async () => {
  const procedure = `CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$
    BEGIN
      CREATE TABLE half (id INT);
      COMMIT;
      PERFORM pg_sleep(0.7);
      CREATE TABLE whole (id INT);
    END $$;`;
  const { findings } = await runTrial(lastOf(historyOf(`${NOTES} ${procedure}`, "CALL fill();")));
  expect(findings).toMatchObject([
    { id: "not-resumable", classes: ["partial"], severity: "error", migration: "20260101000002_step" },
  ]);
});
