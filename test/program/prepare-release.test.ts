import { Provider as AwsProvider } from "@pulumi/aws/provider";
import { Provider as CommandProvider } from "@pulumi/command";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { releaseIdOf } from "../../components/release-id";
import { decodePayload } from "../../migrations/history/payload";
import { prepareRelease } from "../../program";
import { PulumiRecorder } from "../support/pulumi-recorder";

const DIGEST = `shop@sha256:${"0".repeat(64)}`;
const CONFIG = {
  app: { name: "shop", image: "shop:1" },
  database: { identifier: "shop-db", secret: { name: "shop-database" } },
  migrations: { directory: "prisma/migrations" },
  // No test of this file needs what a preview runs on a server of its own (preview-trial.test.ts).
  review: { run: false },
};

let recorder: PulumiRecorder;
beforeEach(() => start());

async function start(settings: Record<string, object | string> = CONFIG, namespace = "release", preview = false) {
  recorder = new PulumiRecorder();
  recorder.stdout = JSON.stringify({ objects: [] });
  await recorder.start(preview);
  const entries = Object.entries(settings).map(([key, value]) => [`${namespace}:${key}`, JSON.stringify(value)]);
  pulumi.runtime.setAllConfig(Object.fromEntries(entries));
}

/** The folder that the settings' paths are relative to. */
const directory = "examples/app";
const providers = () => recorder.registrations.filter(({ type }) => type.startsWith("pulumi:providers:"));

describe("a release is prepared", () => {
  test("with everything that its component needs", async () => {
    const { inputs } = await prepareRelease({ directory });
    expect(inputs).toMatchObject({
      settings: { app: { image: "shop:1" } },
      review: { refused: [] },
      backup: { identifier: expect.stringMatching(/^shop-db-/) },
      reader: { stack: "test", script: expect.any(String) },
      tags: { project: "release", stack: "test", app: "shop" },
    });
    expect(
      providers()
        .map(({ type }) => type.split(":").at(-1))
        .sort(),
    ).toEqual(["aws", "command", "kubernetes"]);
  });

  test("without the migrations that migrations.until holds back", async () => {
    const until = "20260119101200_add_note_state";
    await start({ ...CONFIG, migrations: { ...CONFIG.migrations, until } });
    const { history } = (await prepareRelease({ directory })).inputs;
    expect(history.migrations.map(({ name }) => name).at(-1)).toBe(until);
    expect(decodePayload(history.payload).migrations).toHaveLength(3);
    expect(history.heldBack?.at(-1)).toBe("20260309090000_contract_note_title");
    await start({ ...CONFIG, migrations: { ...CONFIG.migrations, until: "20260119_typo" } });
    await expect(prepareRelease({ directory })).rejects.toThrow(
      /has no migration 20260119_typo[\s\S]*Nothing was touched/,
    );
  });

  test("from the namespace that the program chooses", async () => {
    await start(CONFIG, "deploy");
    expect((await prepareRelease({ directory, namespace: "deploy" })).inputs.settings.app.name).toBe("shop");
    await expect(prepareRelease({ directory })).rejects.toThrow("app is missing");
  });

  test("with the program's own providers, and none beside them", async () => {
    const own = {
      providers: {
        aws: new AwsProvider("own-aws", { region: "eu-west-1" }),
        kubernetes: new KubernetesProvider("own-cluster", { upsertExistingObjects: true }),
        command: new CommandProvider("own-machine"),
      },
      kubectl: { context: "shop" },
    };
    const prepared = await prepareRelease({ directory, own });
    expect(prepared.providers).toBe(own.providers);
    expect(prepared.inputs.reader.context).toBe("shop");
    expect(
      providers()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["own-aws", "own-cluster", "own-machine"]);
  });

  test("with the image before, also when it is repeated and is live itself", async () => {
    const app = { name: "shop", image: "shop:2" };
    await start({ ...CONFIG, app });
    const first = (await prepareRelease({ directory })).inputs;
    const { fingerprint, migrations } = first.history;
    const last = migrations.at(-1)!.name;
    const earlier = { releaseId: "0123456789ab", image: "shop:1", lastMigration: migrations[5]!.name };
    const outputs = {
      ...{ releaseId: releaseIdOf(first.settings, fingerprint), image: "shop:2", before: [earlier] },
      ...{ migrations: { last, count: migrations.length, fingerprint }, snapshot: null, restore: null },
      ...{ namespace: "default", service: "shop", url: "http://shop" },
    };
    await start({ ...CONFIG, app });
    recorder.outputs = outputs;
    const again = (await prepareRelease({ directory })).inputs;
    expect(again.earlier).toEqual([earlier]);
    expect(again.before).toMatchObject({ image: "shop:1", review: { before: 6 } });
    await start({ ...CONFIG, app: { name: "shop", image: "shop:3" } });
    recorder.outputs = outputs;
    const next = (await prepareRelease({ directory })).inputs;
    expect(next.before).toMatchObject({ image: "shop:2", review: undefined });
    expect(next.earlier).toEqual([{ releaseId: outputs.releaseId, image: "shop:2", lastMigration: last }, earlier]);
  });

  test("with a rehearsal of its migrations, unless one of the last days proves them", async () => {
    const rehearsal = { mode: "copy" };
    await start({ ...CONFIG, rehearsal });
    const { inputs } = await prepareRelease({ directory });
    expect(inputs.rehearsal).toMatchObject({ start: expect.stringContaining("start.cjs"), namespace: "release" });
    const { fingerprint } = inputs.history;
    const proof = { fingerprint, at: new Date().toISOString(), of: "snapshot shop-db-1", result: "passed" };
    const map = { kind: "ConfigMap", metadata: { name: "shop-rehearsal" }, data: { proof: JSON.stringify(proof) } };
    await start({ ...CONFIG, rehearsal });
    recorder.stdout = JSON.stringify({ objects: [map] });
    expect((await prepareRelease({ directory })).inputs.rehearsal).toBeUndefined();
  });

  test("only with the key of Neon where a rehearsal makes a branch", async () => {
    const backup = { mode: "branch", branch: { project: "floral-king-961888", secret: { name: "shop-neon" } } };
    const settings = {
      ...CONFIG,
      database: { secret: { name: "shop-database" } },
      backup,
      rehearsal: { mode: "copy" },
    };
    await start(settings);
    vi.stubEnv("NEON_API_KEY", "");
    await expect(prepareRelease({ directory })).rejects.toThrow(/NEON_API_KEY is not set[\s\S]*Nothing was touched/);
    vi.stubEnv("NEON_API_KEY", "canary-key");
    expect((await prepareRelease({ directory })).inputs.rehearsal).toBeDefined();
    vi.unstubAllEnvs();
  });

  test("without a look at the cluster's workloads where the program has its own", async () => {
    const looks = () => recorder.calls.filter(({ token }) => token === "command:local:run");
    await prepareRelease({ directory, rollout: "own" });
    expect(looks()).toEqual([]);
    await prepareRelease({ directory });
    expect(looks()).not.toEqual([]);
  });

  test("only without settings that have no effect on the program's own workloads", async () => {
    await start({ ...CONFIG, service: { type: "ClusterIP" }, workloads: [{ kind: "worker", name: "mailer" }] });
    await expect(prepareRelease({ directory, rollout: "own" })).rejects.toThrow(
      /2 invalid settings[\s\S]*- service must be left out[\s\S]*- workloads must be left out/,
    );
    expect(recorder.registrations).toEqual([]);
  });
});

describe("an image that the program builds", () => {
  const built = () => pulumi.output(Promise.resolve(DIGEST));

  test("is waited for, and replaces the one of the settings", async () => {
    expect((await prepareRelease({ directory, image: built() })).inputs.settings.app.image).toBe(DIGEST);
  });

  test("is not there in a preview, which shows the release of the one of the settings", async () => {
    await start(CONFIG, "release", true);
    expect((await prepareRelease({ directory, image: built() })).inputs.settings.app.image).toBe("shop:1");
  });

  test("must meet the settings' own conditions", async () => {
    const migrations = { ...CONFIG.migrations, image: DIGEST };
    await start({ ...CONFIG, migrations, app: { ...CONFIG.app, image: DIGEST }, policy: { pinnedImages: true } });
    await expect(prepareRelease({ directory, image: "shop:2" })).rejects.toThrow(/app\.image is "shop:2".*digest/);
    expect((await prepareRelease({ directory })).inputs.settings.app.image).toBe(DIGEST);
  });
});
