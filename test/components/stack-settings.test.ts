import { describe, expect, test } from "vitest";
import { parseSettings, SettingsError, settingsFromConfig } from "../../components";

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

  test("are read from the project's own part of Pulumi's configuration", () => {
    const config = Object.fromEntries(
      Object.entries(GOOD).map(([key, value]) => [`shop:${key}`, JSON.stringify(value)]),
    );
    const settings = settingsFromConfig(
      { ...config, "aws:region": "eu-central-1", "shop:namespace": "web" },
      "shop",
      "dev",
    );
    expect(settings.namespace).toBe("web");
    expect(() => settingsFromConfig({ "shop:app": "{" }, "shop", "dev")).toThrow(SettingsError);
  });

  test("refuse a value set with --secret, and do not show it", () => {
    const config = { "shop:app": JSON.stringify({ ...GOOD.app, env: { KEY: "hunter2" }, replicas: 0 }) };
    const read = () => settingsFromConfig(config, "shop", "dev", ["shop:app", "aws:secretKey"]);
    expect(read).toThrow(/app holds a value set with --secret.*put it into a Kubernetes Secret/);
    expect(read).not.toThrow(/hunter2|secretKey/);
  });
});
