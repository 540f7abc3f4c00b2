import type { Scenario } from "../scenario";

/** What fails after the migration: the way back is the image before. */
export const rollouts: readonly Scenario[] = [
  {
    name: "The rollout gets stuck",
    async provoke(stage) {
      stage.newMigration("ALTER TABLE notes ADD COLUMN drill_stuck text;\n");
      stage.set("app.startupTimeout", "5s");
      stage.set("app.progressDeadline", "6s");
      stage.newImage("-unready");
      return (await stage.up()).text;
    },
    says: /was not rolled out\.[\s\S]*the version before works with it/,
    label: "To go back",
  },
  {
    name: "The smoke check fails",
    async provoke(stage) {
      const version = stage.newImage().split(":")[1];
      stage.set("smoke", `{command: '! curl -sf "$RELEASE_URL/health" | grep -F ${version}', timeout: 10s}`);
      return (await stage.up()).text;
    },
    says: /App: the new version serves/,
    label: "To go back",
  },
];
