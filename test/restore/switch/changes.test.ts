import { describe, expect, test } from "vitest";
import { changesOf, pathText, takenBack, valueText, withChanges } from "../../../restore/switch/changes";
import type { Move } from "../../../restore/target";
import { parseSettings } from "../../../settings/parse";
import type { Json } from "../../../settings/stack-file";

const MOVE: Move = {
  source: { identifier: "db", endpoint: { host: "db.abc.eu-central-1.rds.amazonaws.com", port: 5432 } },
  copy: { identifier: "copy", endpoint: { host: "copy.example", port: 5433 } },
  from: "db-1",
};
const RAW = {
  app: { name: "notes", image: "notes:2" },
  database: { identifier: "db", secret: { name: "s" } },
  migrations: { directory: "m" },
};
const SECRETS = new Map([
  ["s", "copy"],
  ["m", "copy-migration"],
]);

/** The changes as `path=value`; `-path` for one that is removed. */
function changes(raw: Record<string, Json> = RAW, more: object = {}): string[] {
  const { settings, problems } = parseSettings(raw, ["app", "database", "workloads"]);
  expect(problems).toEqual([]);
  const found = changesOf({
    ...{ raw, settings: settings!, move: MOVE, secrets: SECRETS },
    ...{ image: "notes:1", until: "1_init", attempt: 1, ...more },
  });
  // Whatever is changed, the way back restores it as it was written.
  expect(withChanges(withChanges(raw, found), takenBack(found))).toEqual(raw);
  return found.map(({ path, value }) =>
    value === undefined ? `-${pathText("release", path)}` : `${pathText("release", path)}=${valueText(value)}`,
  );
}

const COMMON = ["release:app.image=notes:1", "release:database.identifier=copy"];

describe("the settings of an app that is moved to a copy", () => {
  test("name the image, the copy, its Secret, and the last migration", () => {
    expect(changes()).toEqual([...COMMON, "release:database.secret.name=copy", "release:migrations.until=1_init"]);
  });

  test("are changed only where they differ", () => {
    expect(changes(RAW, { image: "notes:2", until: undefined })).toEqual([
      "release:database.identifier=copy",
      "release:database.secret.name=copy",
    ]);
    const held = { ...RAW, migrations: { directory: "m", until: "2_old" } };
    expect(changes(held, { until: undefined }).at(-1)).toBe("-release:migrations.until");
  });

  test("name host, port and database where these stand in the settings, for IAM too", () => {
    const iam = {
      identifier: "db",
      auth: "iam",
      host: "db.abc.eu-central-1.rds.amazonaws.com",
      user: "app",
      name: "notes",
    };
    expect(changes({ ...RAW, database: iam }, { secrets: new Map() })).toEqual([
      ...COMMON,
      "release:database.host=copy.example",
      "release:database.port=5433",
      "release:migrations.until=1_init",
    ]);
    const restored: Move = { ...MOVE, copy: { endpoint: MOVE.source.endpoint, database: "notes_restored" } };
    expect(changes({ ...RAW, database: iam }, { secrets: new Map(), move: restored })).toEqual([
      "release:app.image=notes:1",
      "release:database.name=notes_restored",
      "release:migrations.until=1_init",
    ]);
  });

  test("name the migration's own Secret, and the variables that refer to either", () => {
    const url = (name: string) => ({ secret: { name, key: "replica-url" } });
    const raw = {
      ...RAW,
      app: { ...RAW.app, env: { REPLICA: url("s"), OTHER: url("other"), PLAIN: "x" } },
      database: { ...RAW.database, migration: { secret: { name: "m" } } },
      workloads: [{ kind: "worker", name: "mailer", command: ["x"], env: { REPLICA: url("s") } }],
    };
    expect(changes(raw)).toEqual([
      ...COMMON,
      "release:database.secret.name=copy",
      "release:database.migration.secret.name=copy-migration",
      "release:app.env.REPLICA.secret.name=copy",
      "release:workloads[0].env.REPLICA.secret.name=copy",
      "release:migrations.until=1_init",
    ]);
  });

  test("take the attempt of the live release, so that no backup is asked for", () => {
    const raw = { ...RAW, release: { attempt: 3 } };
    expect(changes(raw, { attempt: 2 }).at(-1)).toBe("release:release.attempt=2");
  });
});
