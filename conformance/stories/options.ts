import type { Story } from "../scenario";
import { BROKEN, FIRST_RELEASE, IMAGE_ONLY } from "./steps";

export const options: Story = {
  name: "options and choices",
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
      steps: ["create Command", ...FIRST_RELEASE],
    },
    {
      name: "--target past the migration is refused",
      before: (stage) => stage.set("app.image", "notes:1.1.0"),
      command: { verb: "up", targets: ["Deployment::notes"] },
      ok: false,
      // How far the program gets until it is refused is a matter of moments.
      mayDiffer: ["summary"],
      also: ({ app }) => (app.includes("1.1.0") ? "the new version was rolled out" : undefined),
    },
    {
      name: "--continue-on-error rolls nothing out after a failed migration",
      before: (stage) => stage.migration("20260401000000_half", BROKEN),
      command: { verb: "up", continueOnError: true },
      ok: false,
      also: ({ app }) => (app.includes("1.1.0") ? "the new version was rolled out" : undefined),
    },
    {
      name: "a smoke check that fails, with the new version serving",
      before: (stage) => {
        stage.withoutMigration("20260401000000_half");
        stage.set("smoke.command", "exit 3");
      },
      command: { verb: "up" },
      ok: false,
    },
    {
      name: "and the release after it",
      before: (stage) => stage.set("smoke.command", "true"),
      command: { verb: "up" },
      ok: true,
    },
    {
      name: "the app is protected",
      before: (stage) => {
        stage.set("policy.protect", "true");
        stage.set("smoke.command", undefined);
      },
      command: { verb: "up" },
      ok: true,
      steps: ["delete Command"],
    },
    { name: "a protected app is not destroyed", command: { verb: "destroy" }, ok: false },
    { name: "up after the refused destroy", command: { verb: "up" }, ok: true },
    {
      name: "protection is lifted",
      before: (stage) => stage.set("policy.protect", undefined),
      command: { verb: "up" },
      ok: true,
      steps: [],
    },
    {
      name: "the app is renamed: a new one beside it first, then the old one goes",
      before: (stage) => stage.set("app.name", "letters"),
      command: { verb: "up" },
      ok: true,
    },
    {
      name: "a release attempted again from the start",
      before: (stage) => stage.set("release.attempt", "2"),
      command: { verb: "up" },
      ok: true,
      steps: [...IMAGE_ONLY, "create Snapshot", "delete Snapshot (retained)"],
    },
  ],
};
