import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseSettings } from "../../settings/parse";

const GOOD = {
  app: { name: "notes", image: "notes:1" },
  database: { identifier: "notes-db", secret: { name: "notes-database" } },
  migrations: { directory: "migrations" },
};

/** The good settings with one value put at a dotted path; `undefined` takes the key away. */
function settingsWith(path: string, value: unknown): Record<string, unknown> {
  const raw = structuredClone(GOOD) as any;
  const keys = path.split(".");
  let at = raw;
  for (const key of keys.slice(0, -1)) at = at[key] ??= {};
  if (value === undefined) delete at[keys.at(-1)!];
  else at[keys.at(-1)!] = value;
  return raw;
}

/** Path, wrong value, what the message says after "it must be" (or of the unknown key). */
const WRONG: [path: string, value: unknown, message: string][] = [
  ["app", undefined, "app is missing; it must be a group of keys"],
  ["app", "notes", 'app is "notes"; it must be a group of keys'],
  ["app.name", undefined, "app.name is missing; it must be a text"],
  ["app.name", "Notes", 'app.name is "Notes"; it must be lower-case letters, digits and hyphens, a letter first'],
  ["app.name", "n".repeat(41), "at most 40 characters"],
  ["app.name", 7, "app.name is 7; it must be a text"],
  ["app.image", undefined, "app.image is missing"],
  ["app.image", "notes 1", "an image such as registry/notes:1.4.0 or registry/notes@sha256:…"],
  ["app.image", "notes@sha256:abc", "an image such as"],
  ["app.port", 0, "app.port is 0; it must be a whole number from 1 to 65535"],
  ["app.port", "3000", 'app.port is "3000"; it must be a whole number from 1 to 65535'],
  ["app.port", 80.5, "a whole number from 1 to 65535"],
  ["app.healthPath", "health", "a path that begins with /"],
  ["app.livenessPath", "", "a path that begins with /"],
  ["app.replicas", 0, "a whole number from 1 to 1000"],
  ["app.replicas", -1, "a whole number from 1 to 1000"],
  ["app.command", "node server.js", "app.command is"],
  ["app.command", [], "app.command is []; it must be not empty"],
  ["app.env", ["A=1"], "app.env is"],
  ["app.env", { "A B": "1" }, "the name of an environment variable"],
  ["app.env", { A: null }, 'a text, {secret: {name: "…", key: "…"}} or {configMap'],
  ["app.env", { A: { secret: { name: "s" } } }, "app.env.A.secret.key is missing"],
  ["app.env", { DATABASE_URL: "x" }, "app.env.DATABASE_URL"],
  ["app.resources", { requests: { cpu: "a lot" } }, "an amount of CPU such as 250m"],
  ["app.resources", { limits: { memory: "512MB" } }, "an amount of memory such as 128Mi"],
  ["app.resources", { limit: {} }, "unknown setting app.resources.limit; did you mean app.resources.limits?"],
  ["app.runAsUser", 0, "a whole number from 1 to"],
  ["app.serviceAccount", "my_account", "lower-case letters"],
  ["app.preStop", "5", 'app.preStop is "5"; it must be a duration such as 45s, 10m, 2h or 1h30m, from 0s to 10m'],
  ["app.preStop", 5, "a duration such as"],
  ["app.preStop", "45s", "app.terminationGrace"],
  ["app.terminationGrace", "2 minutes", "a duration such as"],
  ["app.startupTimeout", "10m", "app.progressDeadline"],
  ["app.schemaGate", "yes", 'app.schemaGate is "yes"; it must be true or false'],
  ["app.progressDeadline", "1w", "a duration such as"],
  ["app.imagee", "notes:1", "unknown setting app.imagee; did you mean app.image?"],
  ["database.kind", "aurora", 'database.kind is "aurora"; it must be "instance" or "cluster"'],
  ["database.identifier", undefined, "database.identifier is missing"],
  ["database.identifier", "1db", "an RDS identifier"],
  ["database.identifier", "notes--db", "an RDS identifier"],
  ["database.endpointCheck", "tunnel", 'database.endpointCheck is "tunnel"; it must be "on" or "off"'],
  ["database.endpointCheck", false, 'database.endpointCheck is false; it must be "on" or "off"'],
  ["database.secret", undefined, "database.secret is missing; it must be a group of keys"],
  ["database.secret.name", "Not_A_Name", "lower-case letters"],
  ["database.env", "DATABASE-URL", "the name of an environment variable"],
  ["database.url", "postgres://app:hunter2@db/notes", "unknown setting database.url"],
  [
    "backup.mode",
    "none",
    'backup.mode is "none"; it must be "snapshot", "dump" or "branch", because policy.backup is "required"',
  ],
  ["backup.mode", "disk", 'it must be "snapshot" or "dump" or "branch" or "none"'],
  ["backup.timeout", "forever", "a duration such as"],
  ["backup.maxAge", "0s", "from 1m to 30d"],
  ["backup.restore", "restore it", "a command with {snapshot} in it"],
  ["migrations.directory", "", 'migrations.directory is ""; it must be not empty'],
  ["migrations.deadline", "1s", "from 5s to 2d"],
  ["migrations.connectWait", "0s", "from 1s to 10m"],
  ["migrations.connectWait", "soon", "a duration such as"],
  ["migrations.lockTimeout", "0s", "from 1s to 10m"],
  ["migrations.statementTimeout", "2h", "at most migrations.deadline (30m)"],
  ["migrations.runer", "command", "unknown setting migrations.runer; did you mean migrations.runner?"],
  ["migrations.runner", "prisma", 'migrations.runner is "prisma"; it must be "migrator" or "command"'],
  ["migrations.command", ["npx", "prisma"], 'it must be left out, because migrations.runner is not "command"'],
  ["migrations.command", "npx prisma migrate deploy", "migrations.command is"],
  ["migrations.command", [], "migrations.command is []; it must be not empty"],
  ["migrations.env", { A: "1" }, 'it must be left out, because migrations.runner is not "command"'],
  ["migrations.lockRetryTimeout", "1s", "at least migrations.lockTimeout (5s)"],
  ["migrations.soak", "1h", "backup.maxAge is missing; it must be longer than migrations.soak (1h)"],
  ["migrations.checks", { tsl: "off" }, "the name of a check: server, same-database, tls"],
  ["migrations.checks", { tls: "no" }, 'migrations.checks.tls is "no"; it must be "fail" or "warn" or "off"'],
  ["migrations.maxConnectionsPercent", 120, "a whole number from 1 to 100"],
  [
    "migrations.maxConnections",
    80,
    "unknown setting migrations.maxConnections; did you mean migrations.maxConnectionsPercent?",
  ],
  ["migrations.maxSequence", 80, "did you mean migrations.maxSequencePercent?"],
  ["migrations.maxRowLoss", 5, "did you mean migrations.maxRowLossPercent?"],
  ["migrations.allowAhead", true, "did you mean migrations.allowDatabaseAhead?"],
  ["migrations.lockBudget", "10m", "unknown setting migrations.lockBudget; allowed: "],
  ["migrations.user", 1000, "did you mean migrations.runAsUser?"],
  ["app.user", 1000, "did you mean app.runAsUser?"],
  ["migrations.diskFree", "a lot", "an amount of memory such as"],
  ["migrations.allowDatabaseAhead", "yes", "true or false"],
  ["report.directory", "", 'report.directory is ""; it must be not empty'],
  ["report.directory", true, "report.directory is true; it must be a text"],
  ["report.tested", "", 'report.tested is ""; it must be not empty'],
  ["report.tester", "x", "unknown setting report.tester"],
  ["service.type", "Ingress", 'it must be "ClusterIP" or "NodePort" or "LoadBalancer"'],
  ["service.type", "NodePort", "service.host is missing; it must be the address of a node"],
  ["service.port", 70_000, "a whole number from 1 to 65535"],
  ["workloads", {}, "workloads is {}"],
  ["workloads", [{ kind: "daemon", name: "x" }], 'workloads.0.kind is "daemon"; it must be "worker" or "cron"'],
  ["workloads", [{ kind: "cron", name: "x", schedule: "daily" }], "a cron schedule such as"],
  ["workloads", [{ kind: "worker", name: "notes" }], "a name that neither the app nor another workload has"],
  ["workloads", [{ kind: "worker", name: "x", schedule: "@daily" }], "unknown setting workloads.0.schedule"],
  ["policy.pinnedImages", true, "app.image"],
  ["policy.pinnedImages", "yes", "true or false"],
  ["policy.backup", "maybe", 'it must be "required" or "optional"'],
  ["smoke", {}, "smoke.command is missing"],
  ["release.attempt", 0, "a whole number from 1 to 10000"],
  ["namespace", "Notes", "lower-case letters"],
  ["aap", {}, "unknown setting aap; did you mean app?"],
];

describe("settings", () => {
  test("are complete with their defaults", () => {
    const { settings, problems } = parseSettings(GOOD);
    expect(problems).toEqual([]);
    expect(settings).toMatchObject({
      namespace: "default",
      backup: { mode: "snapshot" },
      policy: { backup: "required" },
    });
    expect(settings!.migrations.deadline.seconds).toBe(1800);
  });

  test.each(WRONG)("%s = %j is refused with its key, its value and what is allowed", (path, value, message) => {
    const { settings, problems } = parseSettings(settingsWith(path, value));
    expect(settings).toBeUndefined();
    expect(problems.join("\n")).toContain(message);
  });

  test("leave the migration's URL to the Secret, in whatever variable the command looks for it", () => {
    const migrations = { directory: "migrations", runner: "command" };
    const database = { ...GOOD.database, env: "SHOP_URL" };
    const wrong = (env: object) => parseSettings({ ...GOOD, database, migrations: { ...migrations, env } }).problems;
    for (const name of ["DATABASE_URL", "DIRECT_URL", "SHOP_URL"])
      expect(wrong({ [name]: "x" })).toEqual([
        `migrations.env.${name} is "x"; it must be left out: it is set to the URL of the migration's role, with the lock time-out`,
      ]);
    expect(wrong({ SHADOW: { secret: { name: "shadow", key: "url" } } })).toEqual([]);
  });

  test("report one mistake as one line", () => {
    for (const [path, value] of WRONG.filter(([key]) => key !== "policy.pinnedImages")) {
      expect(parseSettings(settingsWith(path, value)).problems, path).toHaveLength(1);
    }
  });

  test("report all mistakes at once, also those of different kinds", () => {
    const raw = { ...GOOD, app: { name: "N", imag: "notes:1" }, backup: { mode: "none" }, extra: {} };
    const { problems } = parseSettings(raw);
    expect(problems.map((line) => line.replace("unknown setting ", "").split(/[ ;]/)[0])).toEqual([
      "extra",
      "app.name",
      "app.image",
      "app.imag",
      "backup.mode",
    ]);
  });

  test("never repeat a value that holds a password", () => {
    const raw = settingsWith("app.env", { CACHE_URL: "redis://cache:hunter2@cache/0" });
    const text = parseSettings(raw).problems.join("\n");
    expect(text).toContain("no password in plain text");
    expect(text).not.toContain("hunter2");
  });

  test.each(["local", "dev", "prod"])("of Pulumi.%s.yaml are right", (stack) => {
    const root = join(__dirname, "../..");
    const { config } = parse(readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8")) as { config: object };
    const raw = Object.entries(config).flatMap(([key, value]) =>
      key.startsWith("release:") ? [[key.slice("release:".length), value]] : [],
    );
    expect(parseSettings(Object.fromEntries(raw)).problems).toEqual([]);
  });
});
