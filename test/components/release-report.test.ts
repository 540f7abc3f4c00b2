import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  parseReleaseOutputs,
  parseSettings,
  Release,
  type ReleaseOutputs,
  type ReportReader,
  stackOutputs,
} from "../../components";
import { PulumiRecorder } from "../support/pulumi-recorder";

const JOB = "kubernetes:batch/v1:Job";
const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const COMMAND = "command:local:Command";

const SIZES = { recordedAt: "2026-11-21T10:05:00Z", tables: { notes: { rows: 12, bytes: 98_304 } } };

let recorder: PulumiRecorder;
beforeEach(async () => {
  recorder = new PulumiRecorder();
  await recorder.start();
});
afterEach(() => vi.restoreAllMocks());

async function release(reader: Partial<ReportReader> | undefined, contract = false): Promise<ReleaseOutputs> {
  const { settings } = parseSettings({
    app: { name: "notes", image: "notes:1" },
    database: { identifier: "notes-db", secret: { name: "notes-database" } },
    backup: { mode: "none" },
    policy: { backup: "optional" },
    migrations: { directory: "migrations" },
    workloads: [{ kind: "worker", name: "mailer" }],
    smoke: { command: "curl $RELEASE_URL" },
  });
  const released = new Release("notes", {
    settings: settings!,
    history: { contract, migrations: [], fingerprint: "f".repeat(64), payload: [Buffer.from("payload")] },
    migrator: "// migrator",
    ...(reader ? { reader: { script: "// reader", stack: "test", ...reader } } : {}),
  });
  const all = await new Promise((resolve) => {
    pulumi.output(stackOutputs(released)).apply(resolve);
  });
  await pulumi.runtime.disconnect();
  return parseReleaseOutputs(all);
}

function command(step: string) {
  const [found, ...more] = recorder.all(COMMAND).filter(({ name }) => name.startsWith(`notes-${step}-`));
  expect(more).toEqual([]);
  return found!;
}

function names(of: string[]): string[] {
  return of.map((urn) => urn.split("::").at(-1)!);
}

const request = (step: string) => JSON.parse(command(step).inputs["environment"].RELEASE_REPORT);

describe("the sizes of the tables", () => {
  test("are read once a release, after the rollout and before the smoke check, and are an output", async () => {
    recorder.stdout = JSON.stringify({ sizes: SIZES });
    const { sizes, releaseId } = await release({});
    expect(sizes).toEqual(SIZES);
    const { name, inputs, options } = command("sizes");
    expect(name).toBe(`notes-sizes-${releaseId}`);
    expect(inputs).toMatchObject({ create: "node -", stdin: "// reader", logging: "none" });
    expect(request("sizes")).toEqual({ namespace: "default", jobs: [`notes-migrate-${releaseId}`] });
    for (const { name: app } of recorder.all(DEPLOYMENT)) expect(names(options.dependsOn)).toContain(app);
    expect(names(command("smoke").options.dependsOn)).toContain(name);
  });

  test("are unknown without a reader, and no command runs for them", async () => {
    expect((await release(undefined)).sizes).toBeNull();
    expect(recorder.all(COMMAND).map(({ name }) => name)).toEqual([expect.stringContaining("smoke")]);
  });

  test("that can't be read are unknown: a warning says why, and the release goes on", async () => {
    const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
    recorder.stdout = JSON.stringify({ problem: "The new version is rolled out and serves; …" });
    expect((await release({})).sizes).toBeNull();
    expect(warn).toHaveBeenCalledWith("The new version is rolled out and serves; …", expect.anything());
  });

  test("hold back nothing of the app", async () => {
    await release({ directory: "/reports" });
    for (const each of [...recorder.all(DEPLOYMENT), ...recorder.all(JOB)])
      expect(names(each.options.dependsOn).join()).not.toMatch(/notes-(sizes|report)-/);
  });

  test("are not read again by a newer version of the reader", async () => {
    await release({});
    expect(command("sizes").options.ignoreChanges).toEqual(expect.arrayContaining(["create", "stdin", "environment"]));
  });
});

describe("the report", () => {
  test("is the very last step, after the contract migrations, and has the part of every Job", async () => {
    const { releaseId } = await release({ directory: "/reports", context: "prod" }, true);
    const { options } = command("report");
    const before = names(options.dependsOn);
    for (const step of ["smoke", "sizes"]) expect(before).toContain(`notes-${step}-${releaseId}`);
    expect(before).toContain(`notes-contract-${releaseId}`);
    expect(request("report")).toEqual({
      namespace: "default",
      context: "prod",
      jobs: ["preflight", "migrate", "contract"].map((step) => `notes-${step}-${releaseId}`),
      page: {
        fingerprint: "f".repeat(64),
        file: `/reports/test-${releaseId}.md`,
        release: releaseId,
        app: "notes",
        stack: "test",
        namespace: "default",
        image: "notes:1",
        smoke: "curl $RELEASE_URL",
        url: "http://notes.default.svc.cluster.local",
      },
    });
  });

  test("is written only where a folder is set for it", async () => {
    await release({});
    expect(command("report")).toBeUndefined();
  });

  test("gets the provider's kubeconfig as a secret, apart from what it is asked", async () => {
    await release({ directory: "/reports", kubeconfig: pulumi.secret("kind: Config\ntoken: hunter2\n") });
    const { environment } = command("report").inputs;
    expect(JSON.stringify(environment.RELEASE_REPORT)).not.toContain("hunter2");
    expect(JSON.stringify(environment.RELEASE_KUBECONFIG)).toContain("hunter2");
    // The mark of a secret (sdk/nodejs/runtime/rpc.ts).
    expect(JSON.stringify(environment.RELEASE_KUBECONFIG)).toContain("4dabf18193072939515e22adb298388d");
  });
});
