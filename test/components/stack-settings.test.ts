import { describe, expect, test } from "vitest";
import { parseSettings, releaseConfig, SettingsError, type SettingsSource, settingsFromConfig } from "../../components";

const GOOD = {
  app: { name: "notes", image: "notes:1" },
  database: { identifier: "notes-db", secret: { name: "notes-database" } },
  migrations: { directory: "migrations" },
};

describe("the settings of a stack", () => {
  test("say that nothing was touched, and which file to correct", () => {
    const error = new SettingsError("dev", parseSettings({ ...GOOD, app: {} }).problems);
    expect(error.message).toMatch(/^2 invalid settings in stack "dev"\. Nothing was touched/);
    expect(error.message).toMatch(/Correct Pulumi\.dev\.yaml .* run the same command again\.$/);
  });

  const under = (namespace: string, settings: object = GOOD) =>
    Object.fromEntries(Object.entries(settings).map(([key, value]) => [`${namespace}:${key}`, JSON.stringify(value)]));
  const read = (config: Record<string, string>, source: Partial<SettingsSource> = {}) =>
    settingsFromConfig(config, { project: "shop", stack: "dev", ...source });
  /** Keys of the program itself, some with the names of settings. */
  const own = { "aws:region": "eu-central-1", "shop:instanceType": "t4g.small", "shop:database": "t4g.large" };

  test("have a namespace of their own in a program that has other keys too", () => {
    expect(read({ ...own, ...under("release"), "release:namespace": "web" }).namespace).toBe("web");
    expect(read({ ...own, ...under("deploy") }, { namespace: "deploy" }).app.name).toBe("notes");
  });

  test("are found in the project's own namespace where only that one has them", () => {
    expect(read({ "aws:region": "eu-central-1", ...under("shop") }).app.name).toBe("notes");
  });

  test("are checked for misspelt keys in their namespace, and only there", () => {
    const misspelt = { ...GOOD, backupp: {} };
    expect(() => read({ ...own, ...under("release", misspelt) })).toThrow(
      /unknown setting backupp; did you mean backup/,
    );
    expect(() => read({ ...own, ...under("release", misspelt) })).not.toThrow("instanceType");
    expect(() => read(under("shop", misspelt))).toThrow("unknown setting backupp");
    expect(() => read(under("deploy", misspelt), { namespace: "deploy" })).toThrow("unknown setting backupp");
  });

  test("that are missing or wrong are told with the namespace where they belong", () => {
    expect(() => read({ "shop:instanceType": "t4g.small" })).toThrow('the keys begin with "release:"; every key');
    expect(() => read({ "release:app": "{" })).toThrow(SettingsError);
    expect(() => read(under("release", { ...GOOD, app: {} }), { project: "release" })).not.toThrow("keys begin with");
  });

  test("refuse a value set with --secret, and do not show it, but allow one to the program's own keys", () => {
    const config = {
      ...under("release"),
      "release:app": JSON.stringify({ ...GOOD.app, env: { KEY: "hunter2" }, replicas: 0 }),
    };
    const secret = () => read(config, { secretKeys: ["release:app", "aws:secretKey"] });
    expect(secret).toThrow(/app holds a value set with --secret.*put it into a Kubernetes Secret/);
    expect(secret).not.toThrow(/hunter2|secretKey/);
    expect(read({ ...own, ...under("release") }, { secretKeys: ["shop:database"] }).app.name).toBe("notes");
  });

  test("are reported together with what is wrong about the providers", () => {
    const config = { "shop:app": "{}", "aws:region": "Frankfurt", "kubernetes:contxt": "prod" };
    expect(() => releaseConfig(config, { project: "shop", stack: "dev" })).toThrow(
      /^6 invalid settings in stack "dev"\.[\s\S]*app\.name is missing[\s\S]*aws:region is "Frankfurt"[\s\S]*contxt/,
    );
  });
});
