import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test, vi } from "vitest";
import { parseSettings, Release } from "../../components";
import { type FailedStep, WayBack, type WayBackFacts, wayBackText } from "../../components/way-back";
import { checksumOf } from "../../migrations/history/history";
import { loadParser, reviewRelease } from "../../review/review";
import { PulumiRecorder } from "../support/pulumi-recorder";

const before: WayBackFacts["before"] = {
  image: "registry/notes:1.0.0",
  command: "pulumi config set --path --plaintext release:app.image {image} --stack prod && pulumi up --stack prod",
  restore: "npm run restore -- --stack prod --plan",
  settingsFile: "Pulumi.prod.yaml",
};
const COMMAND =
  "To go back: pulumi config set --path --plaintext release:app.image registry/notes:1.0.0 --stack prod && pulumi up --stack prod";
const BACKUP = "To go back to the backup: npm run restore -- --stack prod --plan";

/** The review of a migration after a table `notes` with the column `title` is live. */
async function reviewOf(sql: string): Promise<WayBackFacts["review"]> {
  await loadParser();
  const [base, next] = ["CREATE TABLE notes (id int PRIMARY KEY, title text);", sql].map((text, index) => ({
    name: `${index + 1}_a`,
    sql: text,
    checksum: checksumOf(text),
  }));
  return reviewRelease({ history: sql === "" ? [base!] : [base!, next!], applied: [base!] });
}

async function textOf(step: FailedStep, sql: string, facts: Partial<WayBackFacts> = {}): Promise<string[]> {
  const review = await reviewOf(sql);
  const all = { before, image: "registry/notes:1.1.0", review, adopts: false, ownImages: [], ...facts };
  return wayBackText(step, "Deployment notes", all).split("\n");
}

const ADDED = "ALTER TABLE notes ADD COLUMN colour text;";

describe("the message of a release that failed names", () => {
  test("what happened, the state of database and app, and the image before, where the old version works with the schema", async () => {
    expect(await textOf("rollout", ADDED)).toEqual([
      "Deployment notes was not rolled out.",
      "Database: migrated; the version before works with it.",
      "App: the version before goes on serving with the pods that it has.",
      COMMAND,
    ]);
    expect((await textOf("rollout", ""))[1]).toBe(
      "Database: no migration was pending; the version before works with it.",
    );
    expect(await textOf("smoke", ADDED)).toContain("App: the new version serves.");
  });

  test.each([
    ["ALTER TABLE notes DROP COLUMN title;", "Drops column `notes.title` and all its data"],
    ["ALTER TABLE notes RENAME COLUMN title TO heading;", "Renames column `notes.title`"],
    ["DROP TABLE notes;", "Drops table `notes`"],
    ["ALTER TABLE notes ADD COLUMN b int NOT NULL;", "`notes.b`"],
  ])("the backup where it doesn't: %s", async (sql, finding) => {
    const lines = await textOf("rollout", sql);
    expect(lines[1]).toMatch(/^Database: migrated; the version before does not work with it: .* \(2_a, line 1\)\.$/);
    expect(lines[1]).toContain(finding);
    expect(lines.at(-1)).toBe(BACKUP);
    expect(lines).not.toContain(COMMAND);
  });

  test("the image before where what breaks it only comes after the rollout, until that has begun", async () => {
    const contract = "-- release: contract\nALTER TABLE notes DROP COLUMN title;";
    expect(await textOf("rollout", contract)).toContain(COMMAND);
    expect(await textOf("smoke", contract)).toContain(COMMAND);
    const lines = await textOf("contract", contract);
    expect(lines[1]).toContain("2_a, a contract migration, takes away what only that version needed");
    expect(lines.at(-1)).toBe(BACKUP);
  });

  test("both where it can't be told", async () => {
    const lines = await textOf("rollout", "DO $$ BEGIN EXECUTE 'DROP TABLE notes'; END $$;");
    expect(lines[1]).toContain("whether the version before works with it is not known:");
    expect(lines.slice(-2)).toEqual([COMMAND, BACKUP]);
    for (const review of [undefined, { ...(await reviewOf(""))!, assumes: "an empty database" }])
      expect((await textOf("rollout", "", { review })).slice(-2)).toEqual([COMMAND, BACKUP]);
  });

  test("no image where the app was not touched: only the backup, if what is applied breaks the version that serves", async () => {
    expect(await textOf("migrate", ADDED)).toEqual([
      "Deployment notes failed, so nothing was rolled out.",
      "Database: migrations that were finished stay applied; the version before works with it.",
      "App: not touched; the version before goes on serving.",
    ]);
    expect((await textOf("migrate", "DROP TABLE notes;")).at(-1)).toBe(BACKUP);
  });

  test.each<[string, Partial<WayBackFacts>, string]>([
    [
      "there is no version before",
      { before: { ...before, image: undefined } },
      "There is no version before it to go back to.",
    ],
    [
      "another tool made the app before",
      { before: { ...before, image: undefined }, adopts: true },
      "the tool that made the app before brings its version back",
    ],
    ["the image is the same", { image: "registry/notes:1.0.0" }, "set back what was changed in Pulumi.prod.yaml"],
    [
      "the program builds the image",
      { before: { ...before, command: undefined } },
      "have the program release registry/notes:1.0.0",
    ],
    ["a worker has an image of its own", { ownImages: ["mailer"] }, "Set the images of mailer back too"],
  ])("what else to do if %s", async (_, facts, said) => {
    expect((await textOf("rollout", ADDED, facts)).join("\n")).toContain(said);
  });

  test("that there is no backup, if the stack makes none", async () => {
    const lines = await textOf("rollout", "DROP TABLE notes;", { before: { ...before, restore: undefined } });
    expect(lines.at(-1)).toBe("There is no backup to go back to (backup.mode is none).");
  });

  test("the image as one word of the shell", async () => {
    const lines = await textOf("rollout", ADDED, { before: { ...before, image: "a b:$(id)" } });
    expect(lines.at(-1)).toContain("app.image 'a b:$(id)' --stack");
  });
});

test("it is told by the steps that can fail after a migration has begun: Jobs, rollouts and the smoke check", async () => {
  const recorder = new PulumiRecorder();
  await recorder.start();
  recorder.acceptErrorHooks();
  const { settings, problems } = parseSettings({
    app: { name: "notes", image: "notes:2" },
    backup: { mode: "none" },
    database: { secret: { name: "notes-database" } },
    migrations: { directory: "migrations" },
    policy: { backup: "optional" },
    smoke: { command: "true" },
    workloads: [
      { kind: "worker", name: "mailer" },
      { kind: "cron", name: "nightly", schedule: "0 3 * * *" },
    ],
  });
  expect(problems).toEqual([]);
  const history = { contract: true, migrations: [], fingerprint: "f".repeat(64), payload: [] };
  const { outputs } = new Release("notes", { settings: settings!, history, migrator: "// migrator", before });
  await new Promise((resolve) => outputs.apply(resolve));
  await pulumi.runtime.disconnect();
  const telling = recorder.registrations
    .filter(({ options }) => options.onError.some((name) => name.endsWith("tell the way back")))
    .map(({ type, name }) => `${type.split(":").at(-1)} ${name.replace(/-[0-9a-f]{12}$/, "")}`);
  expect(telling).toEqual([
    "Job notes-migrate",
    "Deployment notes",
    "Deployment notes-mailer",
    "Command notes-smoke",
    "Job notes-contract",
  ]);
});

test("it is told once, however many steps of a release fail, and no step is tried again", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const recorder = new PulumiRecorder();
  await recorder.start();
  recorder.acceptErrorHooks();
  const back = new WayBack({ before, image: "notes:2", review: undefined, adopts: false, ownImages: [] });
  const failed = { urn: "", id: "", name: "", type: "", failedOperation: "update" as const, errors: ["timed out"] };
  for (const what of ["Deployment notes", "Deployment notes-mailer"]) {
    const [hook] = back.hooks("rollout", what).hooks?.onError ?? [];
    expect(hook instanceof pulumi.ErrorHook && (await hook.callback(failed))).toBe(false);
  }
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn.mock.calls[0]?.[0]).toMatch(/^Deployment notes was not rolled out\./);
  vi.restoreAllMocks();
});
