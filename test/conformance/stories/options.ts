import type { Story } from "../scenario";
import { BROKEN, FIRST_RELEASE, GOOD_MIGRATION } from "./steps";

export const options: Story = {
  name: "options of a release",
  scenarios: [
    {
      name: "wrong settings touch nothing",
      before: (stage) => {
        stage.set("app.replicas", "none");
        stage.set("app.colour", "red");
      },
      command: { verb: "up" },
      ok: false,
      steps: [],
    },
    {
      name: "a first release with a smoke check",
      before: (stage) => {
        stage.set("app.replicas", undefined);
        stage.set("app.colour", undefined);
        stage.set("smoke.command", 'test -n "$RELEASE_URL" && echo fine');
      },
      command: { verb: "up" },
      ok: true,
      steps: ["4 create Command", ...FIRST_RELEASE.slice(1)],
    },
    {
      name: "a smoke check that fails, with the new version serving",
      before: (stage) => {
        stage.set("app.image", "notes:1.1.0");
        stage.set("smoke.command", "exit 3");
      },
      command: { verb: "up" },
      ok: false,
      steps: ["2 create Job", "create Command", "create Command (failed)", "update Deployment"],
      also: ({ app }) => (app.includes('"version":"1.1.0"') ? undefined : `the app answers ${app}`),
    },
    {
      name: "the same up with a better smoke check",
      before: (stage) => stage.set("smoke.command", "exit 0"),
      command: { verb: "up" },
      ok: true,
      steps: ["2 create Command", "2 delete Job", "3 delete Command"],
    },
    {
      name: "the app is protected, the smoke check gone",
      before: (stage) => {
        stage.set("policy.protect", "true");
        stage.set("smoke.command", undefined);
      },
      command: { verb: "up" },
      ok: true,
      steps: ["delete Command"],
    },
    { name: "a protected app is not destroyed", command: { verb: "destroy" }, ok: false },
    {
      name: "protection is lifted",
      before: (stage) => stage.set("policy.protect", undefined),
      command: { verb: "up" },
      ok: true,
    },
    {
      name: "the app is renamed: the new one comes first, then the old one goes",
      before: (stage) => stage.set("app.name", "letters"),
      command: { verb: "up" },
      ok: true,
    },
    {
      name: "a release attempted again from the start",
      before: (stage) => stage.set("release.attempt", "2"),
      command: { verb: "up" },
      ok: true,
      steps: GOOD_MIGRATION.filter((step) => !step.endsWith(" ConfigMap")),
    },
  ],
};

export const bypasses: Story = {
  name: "bypasses",
  // The embedded engine has neither option.
  only: "pulumi",
  scenarios: [
    { name: "a release to begin with", command: { verb: "up" }, ok: true, steps: FIRST_RELEASE },
    {
      name: "--continue-on-error rolls nothing out after a failed migration",
      before: (stage) => {
        stage.set("app.image", "notes:1.1.0");
        stage.migration("20260401000000_half", BROKEN);
      },
      command: { verb: "up", cliFlags: ["--continue-on-error"] },
      ok: false,
      also: ({ objects }) =>
        objects.find((line) => line.startsWith("Deployment") && !line.includes("notes:1.0.0: 2 ready")),
    },
    {
      name: "the release after it",
      before: (stage) => stage.withoutMigration("20260401000000_half"),
      command: { verb: "up" },
      ok: true,
      also: ({ app }) => (app.includes('"version":"1.1.0"') ? undefined : `the app answers ${app}`),
    },
    {
      name: "--target past the migration is refused",
      before: (stage) => stage.set("app.image", "notes:1.2.0"),
      command: { verb: "up", cliFlags: ["--target=urn:pulumi:local::release::**Deployment::notes"] },
      ok: false,
      steps: [],
    },
  ],
};
