import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { releaseIdOf } from "../../components/release-id";
import { stackFileSchema } from "../../settings/json-schema";
import { settingKeys } from "../../settings/keys";
import { parseSettings } from "../../settings/parse";
import type { Settings } from "../../settings/schema";

const root = join(__dirname, "../..");

const PINNED = `shop@sha256:${"0".repeat(64)}`;

const ADOPTED = { adopt: true, selector: { app: "notes" } };

/** Settings in which each key may have its example: no rule about two keys is in the way. */
const BASE = {
  app: { name: "shop", image: PINNED, preStop: "1s", terminationGrace: "2m", progressDeadline: "1h", ...ADOPTED },
  database: { identifier: "shop-db", secret: { name: "shop-database" } },
  backup: { maxAge: "1d" },
  migrations: { directory: "migrations", runner: "command", image: PINNED, deadline: "2h", lockRetryTimeout: "1h" },
  workloads: [{ kind: "cron", name: "nightly", schedule: "@daily" }],
  service: { type: "LoadBalancer" },
  smoke: { command: "true" },
};

const SPLIT = { name: "shop-database", passwordKey: "password", hostKey: "host", nameKey: "dbname" };
const FILE = { secretProviderClass: "shop" };
const IAM = { host: "shop.c1a2b3.eu-west-1.rds.amazonaws.com", name: "shop", user: "shop" };
const URL_KEYS = ["database.secret.appKey", "database.secret.migrationKey"];
const AUTOSCALING = { max: 5, cpuPercent: 70 };

/** The setting without which a key can't have its example. */
const BESIDE: Record<string, object> = {
  "app.strategy": { app: { ...BASE.app, downtime: "accepted" } },
  "app.downtime": { app: { ...BASE.app, strategy: "recreate" } },
  "policy.staging": { policy: { proof: ["staging"] } },
};

/** The base with one key changed; `[]` is the first of a list, of the kind that has the key. */
function changed(key: string, value: unknown): Record<string, unknown> {
  const raw = structuredClone({ ...BASE, ...BESIDE[key] }) as any;
  const names = key.replace("[]", ".0").split(".");
  if (/^workloads\[\]\.(replicas|autoscaling)/.test(key)) raw.workloads = [{ kind: "worker", name: "nightly" }];
  if (key.startsWith("app.autoscaling")) raw.app.autoscaling = { ...AUTOSCALING };
  if (key.startsWith("workloads[].autoscaling")) raw.workloads[0].autoscaling = { ...AUTOSCALING };
  if (key === "workloads[].kind") delete raw.workloads[0].schedule;
  // A connection's values are in a Secret of separate values or in a file, and each is in one place.
  if (/^database\.(?:migration\.)?file\./.test(key))
    raw.database = { ...raw.database, secret: undefined, file: structuredClone(FILE) };
  else if (/^database\.(?:secret\.\w+Key|host|port|user|name|migration\..*)$/.test(key) && !URL_KEYS.includes(key)) {
    const split = structuredClone(SPLIT);
    const { hostKey: _, nameKey: __, ...secret } = split;
    const plain = /\.(?:host|hostKey)$/.test(key) ? { name: "n" } : { host: "h" };
    raw.database = { ...raw.database, secret: split };
    if (/^database\.(?:host|name)$/.test(key))
      raw.database = { ...raw.database, secret, host: "h", name: "n", ...plain };
  }
  if (key.startsWith("backup.copy.")) raw.backup.copy = { region: "eu-west-1" };
  if (/^backup\.(?:dump\.|image$)/.test(key) || key.startsWith("rehearsal.into.")) {
    const dump = {
      ...(key === "backup.dump.claim" ? {} : { to: "s3://shop-backups" }),
      secret: { name: "shop-store" },
    };
    const { secret: _, ...others } = dump;
    raw.backup = { ...raw.backup, mode: "dump", image: "postgres:17-alpine" };
    raw.backup.dump = key.startsWith("backup.dump.secret.") ? dump : others;
    if (key.startsWith("backup.dump.scratch.")) raw.backup.dump = { ...others, jobs: 4, scratch: { size: "10Gi" } };
  }
  if (key.startsWith("backup.branch."))
    raw.backup = { mode: "branch", branch: { project: "p", secret: { name: "shop-neon" } } };
  if (key.startsWith("drift.secret.")) raw.drift = { secret: { name: "shop-drift" } };
  if (key.startsWith("rehearsal.into.")) raw.rehearsal = { into: { secret: "shop-rehearsal-server" } };
  if (key === "database.auth") raw.database = { ...raw.database, ...IAM, secret: undefined };
  let at = raw;
  for (const name of names.slice(0, -1)) at = at[name] ??= {};
  at[names.at(-1)!] = value;
  return raw;
}

function parsed(raw: Record<string, unknown>): Settings {
  const { settings, problems } = parseSettings(raw);
  expect(problems).toEqual([]);
  return settings!;
}

describe("every setting", () => {
  test("has a description and an example", () => {
    expect(settingKeys().length).toBeGreaterThan(70);
    expect(settingKeys().filter(({ description, example }) => !description || example === undefined)).toEqual([]);
  });

  test.each(settingKeys().map(({ key, example }) => [key, example]))(
    "may be what the documentation proposes: %s: %j",
    (key, example) => {
      parsed(changed(key as string, example));
    },
  );
});

test("a release is decided by the app's image, the settings of the migration and the attempt, and by nothing else", () => {
  const idOf = (raw: Record<string, unknown>) => releaseIdOf(parsed(raw), "f".repeat(64));
  const before = idOf(BASE);
  const deciding = settingKeys().filter(
    ({ key, example }) => idOf(changed(key, key === "migrations.runner" ? "migrator" : example)) !== before,
  );
  const expected = settingKeys()
    .map(({ key }) => key)
    .filter((key) => /^(app\.image|migrations\.(?!directory|until).*|release\.attempt)$/.test(key));
  expect(deciding.map(({ key }) => key)).toEqual(expected);
  expect(settingKeys().flatMap(({ key, decidesRelease }) => (decidesRelease ? [key] : []))).toEqual(expected);
});

describe("the schema for editors", () => {
  const file = z.fromJSONSchema(stackFileSchema("release") as Parameters<typeof z.fromJSONSchema>[0]);
  const shipped = (stack: string) => parse(readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8"));

  test("knows the fields of a pod", () => {
    const config = (pod: object) => ({ config: { "release:app": { name: "shop", image: PINNED, pod } } });
    const container = { name: "app", env: [{ name: "A", value: "b" }] };
    const spec = { tolerations: [{ key: "a", effect: "NoSchedule" }], containers: [container] };
    expect(file.safeParse(config({ spec })).error).toBeUndefined();
    for (const wrong of [{ specs: {} }, { spec: { toleration: [] } }, { spec: { tolerations: [{ effect: "No" }] } }])
      expect(file.safeParse(config(wrong)).success, JSON.stringify(wrong)).toBe(false);
  });

  test.each(["local", "dev", "prod"])("accepts Pulumi.%s.yaml, which names it", (stack) => {
    expect(file.safeParse(shipped(stack)).error).toBeUndefined();
    const [first] = readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8").split("\n");
    expect(first).toBe("# yaml-language-server: $schema=docs/settings.schema.json");
  });

  test.each(settingKeys().map(({ key, example }) => [key, example]))(
    "accepts what the documentation proposes: %s: %j",
    (key, example) => {
      const config = Object.fromEntries(
        Object.entries(changed(key as string, example)).map(([section, value]) => [`release:${section}`, value]),
      );
      expect(file.safeParse({ config }).error).toBeUndefined();
    },
  );

  test.each([
    ["release:app", { name: "shop", image: "shop:1", imagee: "x" }],
    ["release:aap", {}],
    ["release:migrations", { directory: "x", checks: { drift: "maybe" } }],
    ["release:migrations", { directory: "x", maxConnectionsPercent: 101 }],
  ])("refuses %s: %j", (key, value) => {
    expect(file.safeParse({ config: { [key]: value } }).success).toBe(false);
  });

  test("lets keys of other namespaces alone", () => {
    expect(file.safeParse({ config: { "aws:region": "eu-central-1" }, encryptionsalt: "v1:x" }).success).toBe(true);
  });
});
