import { describe, expect, test } from "vitest";
import { parseSettings, SettingsError } from "../../components";
import { plainSecrets } from "../../settings/plain-secrets";

const GOOD = {
  app: { name: "notes", image: "notes:1.0.0" },
  database: { identifier: "notes-db", secret: { name: "notes-database" } },
  migrations: { directory: "prisma/migrations" },
};
const env = (variables: object) => ({ ...GOOD, app: { ...GOOD.app, env: variables } });
const smoke = (command: string) => ({ ...GOOD, smoke: { command } });
const worker = (more: object) => ({ ...GOOD, workloads: [{ kind: "worker", name: "w", ...more }] });

describe("a secret in plain text", () => {
  test.each([
    ["app.env.DB_PASSWORD", env({ DB_PASSWORD: "canary" })],
    ["app.env.PASSWORD", env({ PASSWORD: 12345 })],
    ["app.env.SMTP_PASS", env({ SMTP_PASS: "canary" })],
    ["app.env.GITHUB_TOKEN", env({ GITHUB_TOKEN: "canary-1" })],
    ["app.env.JWT_SECRET", env({ JWT_SECRET: "canary 1" })],
    ["app.env.STRIPE_API_KEY", env({ STRIPE_API_KEY: "canary_1" })],
    ["app.env.stripe.apiKey", env({ "stripe.apiKey": "canary_1" })],
    ["app.env.CACHE", env({ CACHE: "redis://x:canary@cache/0" })],
    ["app.env.OPTIONS", env({ OPTIONS: "--retries 3 --password canary" })],
    ["app.env.KEY_PEM", env({ KEY_PEM: "-----BEGIN PRIVATE KEY-----\ncanary" })],
    ["smoke.command", smoke("PGPASSWORD=canary psql -h db -c 'SELECT 1'")],
    ["smoke.command", smoke("curl -fsS https://u:canary@notes/health")],
    ["smoke.command", smoke("curl -u admin:canary https://notes/health")],
    ["smoke.command", smoke('curl -H "Authorization: Bearer canary" https://notes')],
    ["smoke.command", smoke("curl 'https://notes/health?api_key=canary&x=1'")],
    ["app.command", { ...GOOD, app: { ...GOOD.app, command: ["node", "a.mjs", "--token", "canary"] } }],
    ["app.args.1", { ...GOOD, app: { ...GOOD.app, args: ["-v", "--db-password=canary"] } }],
    ["workloads.0.args.0", worker({ args: ["postgres://u:canary/x@h:5432/d"] })],
    ["workloads.0.env.WEBHOOK_SECRET", worker({ env: { WEBHOOK_SECRET: "canary" } })],
    ["service.annotations.a", { ...GOOD, service: { annotations: { a: "https://u:canary@h" } } }],
    ["backup.restore", { ...GOOD, backup: { restore: "restore {snapshot} --password=canary" } }],
    ["report.window", { ...GOOD, report: { window: "postgresql://u:canary@h/d" } }],
  ])("is refused at %s, says where it belongs, and is not repeated", (path, raw) => {
    const { settings, problems } = parseSettings(raw);
    expect(settings).toBeUndefined();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(
      new RegExp(`^${path.replaceAll(".", "\\.")} holds .*no password in plain text: (put|set|leave) it`),
    );
    expect(problems[0]).not.toMatch(/canary|12345/);
  });

  test.each([
    env({ PRIMARY_KEY_COLUMN: "id", PUBLIC_KEY: "abc", POSTHOG_KEY: "$POSTHOG" }),
    env({ SECRET_NAME: "notes-session", TOKEN_URL: "https://auth/token", PASSWORD_MIN_LENGTH: 12, KEY_ID: "k1" }),
    env({
      DB_PASSWORD_FILE: "/run/secrets/db",
      DB_PASSWORD: "/run/secrets/db",
      API_TOKEN: "$(TOKEN)",
      SORT_KEY: "name",
    }),
    env({ CSRF_TOKEN: true, ACCESS_TOKEN: 3600, SESSION_SECRET: { secret: { name: "session", key: "key" } } }),
    env({ SECRET: "vault:secret/data/notes", API_KEY: "arn:aws:secretsmanager:eu:1:secret:x", CACHE_KEY: "v2-notes" }),
    env({ HOME_URL: "http://localhost:3000/users/@me", MAX_TOKENS: "4096", PWD: "/app/data", LOG: "tokenizer=fast" }),
    env({ DATABASE: "postgres://app:$(DB_PASSWORD)@db/notes", BYPASS: "cache" }),
    smoke('curl -fsS -H "Authorization: Bearer $TOKEN" -u "$USER:$PASSWORD" "$RELEASE_URL/health"'),
    smoke('PGPASSWORD=$PGPASSWORD psql "$DATABASE_URL" && docker run -u 1000:1000 x'),
    smoke('test "$(cat /run/secrets/token)" && node check.mjs --token-file /run/secrets/token --password-stdin'),
    worker({ command: ["node", "a.mjs", "--password", "$(DB_PASSWORD)"], image: `notes@sha256:${"0".repeat(64)}` }),
    { ...GOOD, report: { window: "Sun 02:00, password reset page: read only", rollback: "see the wiki: tokens" } },
  ])("is not seen in what is none (%#)", (raw) => expect(parseSettings(raw).problems).toEqual([]));

  test("is not repeated where the value is wrong for another reason, or stands at a wrong place", () => {
    const wrong: Record<string, unknown>[] = [
      { ...GOOD, smoke: "curl https://u:canary@h" },
      { ...GOOD, app: '{name: notes, env: {DB_PASSWORD: "canary"' },
      env({ DB_PASSWORD: ["canary"] }),
      env({ X: { password: "canary" } }),
      { ...GOOD, database: { ...GOOD.database, password: "canary" } },
      { ...GOOD, namespace: "Bearer canary" },
    ];
    for (const raw of wrong) {
      const { settings, problems } = parseSettings(raw);
      expect(settings).toBeUndefined();
      expect(new SettingsError("dev", problems).message).not.toContain("canary");
    }
  });

  test("is looked for at any depth, in what no schema knows too", () => {
    expect(plainSecrets({ a: [{ b: { c: ["x", "https://u:canary@h"] } }] })).toMatchObject([
      { path: ["a", "0", "b", "c", "1"] },
    ]);
  });
});
