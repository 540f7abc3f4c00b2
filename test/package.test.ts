import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ModuleKind, transpileModule } from "typescript";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = join(__dirname, "..");

/** A team's own program, in plain JavaScript, on Pulumi's mocks. */
const PROGRAM = `
  const pulumi = require("@pulumi/pulumi");
  const registered = [];
  pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs }) => { registered.push(type); return { id: name, state: inputs }; },
    call: () => ({}),
  }, "shop", "prod");
  const { parseSettings, Release } = require("postgres-release");
  const { packHistory } = require("postgres-release/migrations");
  const { bundleMigrator } = require("postgres-release/migrator");
  const { settings } = parseSettings({
    app: { name: "shop", image: "shop:1" },
    database: { identifier: "shop-db", secret: { name: "shop-database" } },
    backup: { mode: "none" }, policy: { backup: "optional" },
    service: { type: "ClusterIP" },
    migrations: { directory: ${JSON.stringify(join(ROOT, "examples/app/prisma/migrations"))} },
  });
  packHistory(settings.migrations.directory).then((history) => {
  const release = new Release("shop", { settings, history, migrator: bundleMigrator() });
  release.outputs.apply(({ migrations }) => console.log(JSON.stringify({ registered, migrations, id: release.releaseId })));
  });
`;

/** Runs a program in the form of the README's, on Pulumi's mocks. */
const MOCKED = `
  const pulumi = require("@pulumi/pulumi");
  let preflight;
  const snapshot = { status: "available", encrypted: true, dbSnapshotArn: "arn:x", snapshotCreateTime: "2026-11-21T10:00:00Z" };
  pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs }) => {
      if (name.startsWith("notes-preflight-")) preflight = inputs.spec?.template.spec.containers[0].args ?? preflight;
      return { id: name, state: type === "command:local:Command" ? { ...inputs, stdout: "{}" } : inputs };
    },
    call: ({ token }) => token.endsWith("readStackOutputs") ? { outputs: {} } : snapshot,
  }, "shop", "prod", false, "organization").then(async () => {
    const { release } = await require("./snippet.js")();
    pulumi.output(release).apply((outputs) => console.log(JSON.stringify({ preflight, outputs })));
  });
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "release-package-"));
  execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const installed = join(folder, "node_modules", "postgres-release");
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", join(folder, "postgres-release-0.1.0.tgz"), "--strip-components=1", "-C", installed]);
  // Its dependencies, as npm would install them beside it.
  for (const name of ["@pulumi", "esbuild", "fastest-levenshtein", "libpg-query", "zod"]) {
    symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
  }
}, 240_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a team adds the release to a Pulumi program that it already has", () => {
  writeFileSync(join(folder, "program.js"), PROGRAM);
  const output = JSON.parse(execFileSync("node", ["program.js"], { cwd: folder, encoding: "utf8" }));
  expect(output.registered).toContain("kubernetes:batch/v1:Job");
  expect(output.registered).toContain("kubernetes:apps/v1:Deployment");
  expect(output.migrations.last).toMatch(/^2026\d{10}_/);
  expect(output.id).toMatch(/^[0-9a-f]{12}$/);
});

test("the README's program gates the release as ours does, and publishes its outputs", () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const snippet = /### Add the release to a Pulumi program[\s\S]*?```ts\n([\s\S]*?)```/.exec(readme)![1]!;
  const { outputText } = transpileModule(snippet, {
    compilerOptions: { module: ModuleKind.CommonJS, esModuleInterop: true },
  });
  writeFileSync(join(folder, "snippet.js"), outputText);
  writeFileSync(join(folder, "mocked.js"), MOCKED);
  const config = {
    app: { name: "shop", image: "shop:1" },
    database: { identifier: "shop-db", secret: { name: "shop-database" } },
    migrations: { directory: join(ROOT, "examples/app/prisma/migrations") },
    review: { refuse: ["failing"] },
  };
  const entries = Object.entries(config).map(([key, value]) => [`shop:${key}`, JSON.stringify(value)]);
  const env = { ...process.env, PULUMI_CONFIG: JSON.stringify(Object.fromEntries(entries)) };
  const { preflight, outputs } = JSON.parse(
    execFileSync("node", ["mocked.js"], { cwd: folder, encoding: "utf8", env, stdio: ["ignore", "pipe", "ignore"] })
      .split("\n")
      .find((line) => line.startsWith("{"))!,
  );
  expect(preflight.join(" ")).toContain("--refuse failing");
  expect(outputs).toMatchObject({ releaseId: expect.stringMatching(/^[0-9a-f]{12}$/), image: "shop:1" });
});

test("errors are quick there too: the file that `nodeargs` names is in the package", () => {
  const printed = execFileSync(
    "node",
    ["--require", "postgres-release/quick-errors", "-e", "console.log(util.inspect('plain', { colors: true }))"],
    { cwd: folder, encoding: "utf8" },
  );
  expect(printed).toBe("'plain'\n");
});

test("the package holds types, and the migrator as the one file that the Job runs", () => {
  const installed = join(folder, "node_modules", "postgres-release");
  const files = execFileSync("find", [".", "-type", "f"], { cwd: installed, encoding: "utf8" }).split("\n");
  expect(files).toEqual(
    expect.arrayContaining(["./dist/components/index.d.ts", "./dist/migrator.cjs", "./dist/report.cjs", "./LICENSE"]),
  );
  expect(files.filter((file) => /test|local|examples/.test(file))).toEqual([]);
  expect(execFileSync("node", [join(installed, "dist/migrator.cjs"), "--help"], { encoding: "utf8" })).toContain(
    "deploy",
  );
});

test("the project's own stacks run index.ts, not what the package exports", () => {
  const arguments_ = ["--import", "tsx", "local/main.ts", "preview", "--json", "--state-dir", join(folder, "state")];
  const output = execFileSync("node", arguments_, { cwd: ROOT, encoding: "utf8" });
  expect(output).toContain("kubernetes:apps/v1:Deployment");
});
