import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testsBuildOnEachOther } from "../support/lifecycle";
import { Consumer, shownProgram } from "./consumer";

const README = shownProgram("README.md", "Add the release to a Pulumi program that you already have");

const consumer = new Consumer();
beforeAll(() => consumer.install(), 900_000);
afterAll(() => consumer.end(), 300_000);

/** The folders of a package in the consumer's node_modules. */
function copiesOf(name: string, folder = join(consumer.folder, "node_modules")): string[] {
  const own = existsSync(join(folder, name)) ? [join(folder, name)] : [];
  const packages = readdirSync(folder).flatMap((entry) =>
    entry.startsWith("@") ? readdirSync(join(folder, entry)).map((inner) => join(entry, inner)) : [entry],
  );
  const nested = packages.map((entry) => join(folder, entry, "node_modules")).filter((inner) => existsSync(inner));
  return [...own, ...nested.flatMap((inner) => copiesOf(name, inner))];
}

describe.sequential("the installed package", () => {
  test("brings no copy of the SDKs of its own, and nothing that only this project needs", () => {
    for (const name of ["pulumi", "aws", "kubernetes", "command"])
      expect(copiesOf(`@pulumi/${name}`)).toEqual([join(consumer.folder, "node_modules/@pulumi", name)]);
    for (const name of ["esbuild", "pg", "@types/pg", "yaml"]) expect(copiesOf(name)).toEqual([]);
  });

  test("contains what it needs and no sources, tests or examples", () => {
    const dist = join(consumer.folder, "node_modules/postgres-release");
    const files = readdirSync(dist, { recursive: true, encoding: "utf8" });
    expect(files).toEqual(
      expect.arrayContaining([
        "LICENSE",
        "dist/migrator.cjs",
        "dist/ops.cjs",
        "dist/report.cjs",
        "dist/review.cjs",
        "dist/schema-gate.cjs",
        "dist/trial.cjs",
      ]),
    );
    expect(files.filter((file) => /(^|\/)(test|local|examples)\/|(?<!\.d)\.ts$/.test(file))).toEqual([]);
  });

  test.each(["tsconfig.json", "tsconfig.node16.json"])(
    "has types for the program of the README with %s, which checks the package's types too",
    { timeout: 900_000 },
    async (tsconfig) => {
      const wrong = README.replace("prepareRelease({ output", "// @ts-expect-error\n prepareRelease({ outptu");
      consumer.write("index.ts", README);
      consumer.write("wrong.ts", wrong);
      const checked = await consumer.bin("tsc", "--noEmit", "--pretty", "false", "-p", tsconfig);
      expect(checked).toMatchObject({ output: "", status: 0 });
    },
  );

  test("has the commands, which say how they are typed here", { timeout: 300_000 }, async () => {
    const review = await consumer.bin("postgres-release", "review", "--stack", "local", "--no-squawk");
    expect(review.output).toContain("assuming an EMPTY database");
    const tried = await consumer.bin("postgres-release", "review", "--stack", "local", "--no-squawk", "--run");
    expect(tried.output).toContain("Run on Postgres 18");
    expect((await consumer.bin("postgres-release", "review", "--help")).output).toContain(
      "npx postgres-release review",
    );
    const migrator = await consumer.bin("postgres-release", "migrator", "--help");
    expect(migrator).toMatchObject({ status: 0, output: expect.stringContaining("deploy") });
    expect((await consumer.bin("postgres-release", "reveiw")).output).toContain(
      "npx postgres-release migrator|ops|restore|review",
    );
  });
});

describe.sequential("the program of the README", { timeout: 900_000 }, () => {
  testsBuildOnEachOther();

  test("releases, beside keys and outputs of its own", async () => {
    consumer.write("index.ts", README);
    // `review --run` has installed Postgres before.
    const preview = await consumer.local("preview");
    expect(preview).toMatchObject({ status: 0, output: expect.stringContaining("Run on Postgres 18") });
    const up = await consumer.local("up");
    expect(up.status, up.output).toBe(0);
    expect((await consumer.outputs()).release).toMatchObject({
      migrations: { last: expect.stringMatching(/^2026\d{10}_/) },
      image: "notes:1.0.0",
      snapshot: { id: expect.stringMatching(/^shop-db-/) },
      // The reader of the reports has run.
      sizes: { tables: expect.objectContaining({ notes: expect.anything() }) },
    });
  });

  test("takes over what a killed `up` left, and uses no default provider", () => {
    const providers = consumer.resources().filter(({ type }) => type.startsWith("pulumi:providers:"));
    expect(providers.find(({ type }) => type.endsWith(":kubernetes")).inputs).toMatchObject({
      upsertExistingObjects: "true",
    });
    // The stack's own outputs are read by a provider of the engine's.
    const defaults = providers.filter(({ urn }) => /::default/.test(urn) && !urn.includes("providers:pulumi::"));
    expect(defaults).toEqual([]);
  });

  test("refuses what the review refuses, by what its own outputs say is live, and shows the error at once", async () => {
    consumer.write("migrations/20270101000000_drop/migration.sql", "DROP TABLE notes;\n");
    consumer.configure({ "release:review": { refuse: ["destructive"] } });
    const up = await consumer.local("up");
    expect(up.status).toBe(1);
    expect(up.output).toContain("drop-table notes");
    expect(up.output).toContain("Blocked by `review.refuse` in Pulumi.local.yaml. Nothing was touched");
    // It judges by the outputs: only the new migration is reviewed.
    expect(up.output).not.toContain("EMPTY database");
    expect(up.output).not.toMatch(/^\s+at /m);
  });

  test("refuses a misspelt setting, and looks at no other key", async () => {
    consumer.configure({ "release:backupp": { mode: "none" } });
    const { status, output } = await consumer.local("preview");
    expect(status).toBe(1);
    expect(output).toContain("1 invalid setting in stack");
    expect(output).toContain("unknown setting backupp; did you mean backup?");
    expect(output).toContain('the keys begin with "release:"');
  });
});

/** A Deployment of the team's own. */
const SHOP = `
  import { Deployment } from "@pulumi/kubernetes/apps/v1";
  import * as pulumi from "@pulumi/pulumi";

  const labels = { app: "own-shop" };
  const url = { name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: "shop-database", key: "url" } } };
  const container = {
    name: "shop", image: "notes:1.0.0", env: [{ name: "PORT", value: "3000" }, url],
    ports: [{ name: "http", containerPort: 3000 }],
    readinessProbe: { httpGet: { path: "/health", port: "http" }, periodSeconds: 1 },
  };
  export const shopService = (opts: pulumi.CustomResourceOptions) =>
    new Deployment("own-shop", {
      metadata: { name: "own-shop" },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    }, opts);
`;

describe.sequential("the program with workloads of its own", { timeout: 900_000 }, () => {
  testsBuildOnEachOther();
  const finished = (resources: any[], kind: string) => resources.filter(({ type }) => type.endsWith(`:${kind}`));

  test("migrates before they change, and applies contract migrations after them", async () => {
    consumer.write("shop.ts", SHOP);
    consumer.write(
      "index.ts",
      shownProgram("docs/in-your-program.md", "Only the migration, with workloads of your own"),
    );
    consumer.removeMigration("20270101000000_drop");
    consumer.write(
      "migrations/20270201000000_last/migration.sql",
      "-- release: contract\nCOMMENT ON TABLE notes IS 'x';\n",
    );
    consumer.configure({ "release:service": null, "release:smoke": { command: "true && test -n $RELEASE_ID" } });
    const up = await consumer.local("up");
    expect(up.status, up.output).toBe(0);
    expect((await consumer.outputs()).release).toMatchObject({
      migrations: { last: "20270201000000_last" },
      sizes: { tables: expect.objectContaining({ notes: expect.anything() }) },
    });

    const resources = consumer.resources();
    const jobs = finished(resources, "Job").map(({ inputs }) => inputs.metadata.name.replace(/-\w{12}$/, ""));
    expect(jobs.sort()).toEqual(["shop-contract", "shop-migrate", "shop-preflight"]);
    const [own, ...others] = finished(resources, "Deployment");
    expect(others).toEqual([]);
    const needs = (from: any) => from.dependencies.join(" ");
    expect(needs(own)).toContain("shop-migrate-");
    const contract = finished(resources, "Job").find(({ urn }) => urn.includes("shop-contract-"));
    expect(needs(contract)).toContain("::own-shop");
    expect(needs(contract)).toContain("::shop-smoke-");
  });

  test("has nothing to do when nothing changes", async () => {
    const { status, output } = await consumer.local("up");
    expect(status, output).toBe(0);
    expect(output).toContain("nothing to do");
  });
});
