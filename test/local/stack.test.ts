import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { settingsFromConfig } from "../../components/stack-settings";
import { type Call, goingOn, typed } from "../../local/commands/verb";
import type { LastRun } from "../../local/last-run";
import { readStack, shownOverride } from "../../local/stack";
import { UsageError } from "../../local/usage-error";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stack-test-"));
  write("Pulumi.yaml", "name: release\nruntime: nodejs\n");
  write("Pulumi.local.yaml", "config:\n  aws:region: eu-west-1\n  release:app:\n    name: notes\n    replicas: 2\n");
});
afterEach(() => rmSync(directory, { recursive: true }));

const write = (name: string, text: string) => writeFileSync(join(directory, name), text);
const read = (overrides: string[] = [], name = "local") =>
  readStack({ directory, name, stateDir: join(directory, "state"), overrides });
const problems = (overrides: string[], name = "local") => {
  try {
    read(overrides, name);
  } catch (error) {
    if (error instanceof UsageError) return error.problems;
    throw error;
  }
  return [];
};

describe("settings of a stack", () => {
  test("reach the program as the Pulumi CLI hands them over: qualified keys, text, objects as JSON", () => {
    write(
      "Pulumi.local.yaml",
      "config:\n  aws:region: eu-west-1\n  namespace: shop\n  release:count: 3\n  release:on: true\n  release:list: [1, a]\n",
    );
    expect(read().config).toEqual({
      "aws:region": "eu-west-1",
      "release:namespace": "shop",
      "release:count": "3",
      "release:on": "true",
      "release:list": '[1,"a"]',
    });
  });

  test("include the defaults of the project file, which the stack's file overrides", () => {
    write(
      "Pulumi.yaml",
      "name: release\nconfig:\n  namespace:\n    type: string\n    default: shop\n  plain: text\n  needed:\n    type: string\n  aws:region:\n    value: us-east-1\n",
    );
    expect(read().config).toMatchObject({
      "release:namespace": "shop",
      "release:plain": "text",
      "aws:region": "eu-west-1",
    });
    expect(read().config).not.toHaveProperty("release:needed");
  });

  test("of a stack without a file of its own are those of Pulumi.local.yaml, and that is said", () => {
    expect(read([], "second")).toMatchObject({
      name: "second",
      config: read().config,
      note: "There is no Pulumi.second.yaml; the settings are those of Pulumi.local.yaml.",
    });
    write("Pulumi.second.yaml", "config:\n  release:app: {name: other}\n");
    expect(read([], "second").settings).toEqual({ app: { name: "other" } });
    expect(read([], "second").note).toBeUndefined();
  });

  test("are changed by --config, below a key by dots, with values as YAML reads them", () => {
    const { settings, config } = read([
      "app.image=notes:1.1.0",
      "app.replicas=3",
      "app.env.DEBUG=true",
      "app.env.NAME='007'",
      "backup={mode: none}",
      "release:namespace=shop",
      "aws:region=eu-central-1",
    ]);
    expect(settings).toEqual({
      app: { name: "notes", replicas: 3, image: "notes:1.1.0", env: { DEBUG: true, NAME: "007" } },
      backup: { mode: "none" },
      namespace: "shop",
    });
    expect(config["aws:region"]).toBe("eu-central-1");
  });

  test("are removed by --config without a value, and reached in a list by number", () => {
    write(
      "Pulumi.local.yaml",
      "config:\n  release:app: {name: notes, replicas: 2}\n  release:workloads: [{name: a}, {name: b}]\n",
    );
    expect(read(["app.replicas=", "workloads.1.name=c", "workloads.2={name: d}"]).settings).toEqual({
      app: { name: "notes" },
      workloads: [{ name: "a" }, { name: "c" }, { name: "d" }],
    });
    expect(read(["app="]).config).not.toHaveProperty("release:app");
  });

  test("do not change what they were read from", () => {
    read(["app.replicas=9"]);
    expect(read().settings).toEqual({ app: { name: "notes", replicas: 2 } });
  });

  test("that hold a password are not repeated, in errors and in the commands that a message proposes", () => {
    const wrong = [
      "app.env.DB_PASSWORD.x.y=[canary",
      "smoke.command='curl https://u:canary@h",
      "app.env.API_TOKEN=*canary",
      "app.env={API_KEY: canary",
    ];
    for (const override of wrong) expect(problems([override]).join("\n")).not.toContain("canary");
    expect(shownOverride("app.env.DB_PASSWORD=canary")).toBe("app.env.DB_PASSWORD=…");
    expect(shownOverride("smoke.command=PGPASSWORD=canary psql")).toBe("smoke.command=…");
    for (const harmless of [
      "app.image=notes:1.1.0",
      "database.secret.migrationKey=url",
      "app.env={S: {secret: {name: s, key: k}}}",
    ])
      expect(shownOverride(harmless)).toBe(harmless);
  });

  test("that are wrong are named all at once", () => {
    expect(problems(["novalue", "app..image=x", "app.name.first=x", "app.env=[1", "=x"], "../up")).toEqual([
      '--stack is "../up"; it must be letters, digits, "-", "_" and ".", at most 100',
      '--config "novalue": it must be key=value, such as app.image=notes:1.1.0',
      '--config "app..image=x": it must be key=value, such as app.image=notes:1.1.0',
      '--config "app.name.first=x": there is nothing below the value "notes"',
      expect.stringMatching(/^--config "app.env=\[1": the value can't be read as YAML/),
      '--config "=x": it must be key=value, such as app.image=notes:1.1.0',
    ]);
  });

  test("that only the Pulumi CLI can decrypt are refused, also deep inside", () => {
    write("Pulumi.local.yaml", "config:\n  release:app:\n    env:\n      KEY:\n        secure: AAABAL\n");
    expect(problems([])).toEqual([
      "Pulumi.local.yaml: release:app is encrypted for the Pulumi CLI and can't be read here; local settings hold no secrets, put them into a Secret",
    ]);
  });

  test("that are no YAML are named with the file", () => {
    write("Pulumi.local.yaml", "config: [");
    expect(problems([])).toEqual([expect.stringContaining("Pulumi.local.yaml is not YAML")]);
  });

  test("that are in no file that can be read are named with it", () => {
    rmSync(join(directory, "Pulumi.local.yaml"));
    mkdirSync(join(directory, "Pulumi.local.yaml"));
    expect(problems([])).toEqual([expect.stringContaining("Pulumi.local.yaml can't be read: it is a folder")]);
    rmSync(join(directory, "Pulumi.yaml"));
    execFileSync("mkfifo", [join(directory, "Pulumi.yaml")]);
    expect(problems([])[0]).toContain("Pulumi.yaml can't be read: it is a FIFO");
  });

  test.each(["constructor", "toString", "__proto__", "hasOwnProperty"])(
    "named %s, as every object has it, are refused by the program or here, and change no other setting",
    (name) => {
      const { config, settings } = read([`${name}={app: {name: other}}`]);
      expect(Object.hasOwn(settings, name)).toBe(true);
      expect(Object.getPrototypeOf(settings)).toBe(Object.prototype);
      expect(() => settingsFromConfig(config, { project: "release", stack: "local" })).toThrow(
        `unknown setting ${name}`,
      );
      if (name === "__proto__")
        expect(problems([`app.${name}=x`])).toEqual([expect.stringContaining("no name for a key")]);
      else
        expect(() =>
          settingsFromConfig(read([`app.${name}=x`]).config, { project: "release", stack: "local" }),
        ).toThrow(`unknown setting app.${name}`);
    },
  );

  test("need a Pulumi program", () => {
    rmSync(join(directory, "Pulumi.yaml"));
    expect(problems([])).toEqual([`${directory} has no Pulumi.yaml; --cwd must name the folder of a Pulumi program`]);
  });
});

describe("a command that a message proposes", () => {
  const call = (overrides: string[]) =>
    ({ stack: { name: "local", location: ["--state-dir", "a b"], overrides } }) as unknown as Call;

  test("has the settings that were typed, where it runs the program", () => {
    const typedNow = call(["app.image=notes:1.1.0"]);
    expect(typed(typedNow, "up")).toBe("npm run local -- up --state-dir 'a b' --config app.image=notes:1.1.0");
    expect(typed(typedNow, "status")).toBe("npm run local -- status --state-dir 'a b'");
  });

  test("goes on with those of the last run: without them it would be another release", () => {
    const last = { verb: "up", overrides: ["app.image=notes:1.1.0"] } as LastRun;
    expect(typed(goingOn(call([]), last), "up")).toContain("--config app.image=notes:1.1.0");
    expect(typed(goingOn(call(["app.replicas=3"]), last), "up")).toMatch(
      /up --state-dir 'a b' --config app.replicas=3$/,
    );
  });
});
