import { getJson } from "../../local/cli";
import type { Scenario } from "../scenario";
import type { Stage } from "../stage";

/** Releases a version with a migration that destroys data, and finds that the version is wrong. */
async function destroyed(stage: Stage): Promise<string> {
  await stage.sql("INSERT INTO notes (subject) SELECT 'drill ' || g FROM generate_series(1, 20) g");
  stage.newMigration("ALTER TABLE notes DROP COLUMN subject;\n");
  const version = stage.newImage().split(":")[1];
  stage.set("smoke", `{command: '! curl -sf "$RELEASE_URL/health" | grep -F ${version}', timeout: 10s}`);
  return (await stage.up()).text;
}

/** Says what is missing in the database that the app uses now. */
async function rowsAreBack(stage: Stage): Promise<string | undefined> {
  const { url } = (await stage.cli.outputs()) as { url: string };
  const { body } = await getJson(url, "/notes");
  const found = body.notes.filter(({ subject }: { subject: string }) => subject?.startsWith("drill "));
  return found.length === 20 ? undefined : `the app has ${found.length} of 20 notes`;
}

const shared = {
  provoke: destroyed,
  says: /the version before does not work with it/,
  label: "To go back to the backup",
  moves: true,
  green: rowsAreBack,
} as const;

/** A migration that destroys data: the backup is restored beside, and the app moved to it. */
export const restores: readonly Scenario[] = [
  { ...shared, name: "A migration destroyed data, and the snapshot has it" },
  {
    ...shared,
    name: "A migration destroyed data, and the moment before it is wanted",
    stack: "point-in-time",
    first: { what: "adds --to before-migration" },
    fill: (command) => `${command} --to before-migration`,
  },
  {
    ...shared,
    name: "A migration destroyed data, and a dump has it",
    stack: "dump",
    first: { what: "adds the private key" },
    fill: (command, _, stage) => `${command} --identity '${stage.identity}'`,
  },
  { ...shared, name: "A migration destroyed data, and a branch of Neon has it", stack: "branch" },
];
