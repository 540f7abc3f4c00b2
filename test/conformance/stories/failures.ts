import type { Story } from "../scenario";
import { BROKEN, FAILING_MIGRATION, FIRST_RELEASE, GOOD } from "./steps";

const FAILED_AGAIN = ["create-replacement Job (failed)", "delete-replaced Job", "replace Job"];

export const failures: Story = {
  name: "failures of migrations and rollouts",
  scenarios: [
    { name: "a release to fall back on", command: { verb: "up" }, ok: true, steps: FIRST_RELEASE },
    {
      name: "a failing migration: the old version serves",
      before: (stage) => {
        stage.set("app.image", "notes:1.1.0");
        stage.migration("20260401000000_half", BROKEN);
      },
      command: { verb: "up" },
      ok: false,
      steps: FAILING_MIGRATION,
      also: ({ app }) => (app.includes('"version":"1.0.0"') ? undefined : `the app answers ${app}`),
    },
    { name: "preview after the failure", command: { verb: "preview" }, ok: true },
    { name: "the same up runs the failed Job again", command: { verb: "up" }, ok: false, steps: FAILED_AGAIN },
    {
      name: "another failed release on top",
      before: (stage) => stage.migration("20260402000000_worse", BROKEN),
      command: { verb: "up" },
      ok: false,
      steps: FAILING_MIGRATION,
    },
    {
      name: "the same up after repair finishes the release",
      before: (stage) => {
        stage.migration("20260401000000_half", GOOD);
        stage.withoutMigration("20260402000000_worse");
      },
      command: { verb: "up" },
      ok: true,
    },
    {
      name: "a failed release",
      before: (stage) => stage.migration("20260403000000_abandoned", BROKEN),
      command: { verb: "up" },
      ok: false,
      steps: FAILING_MIGRATION,
    },
    {
      name: "is abandoned: back to what is live",
      before: (stage) => stage.withoutMigration("20260403000000_abandoned"),
      command: { verb: "up" },
      ok: true,
    },
    {
      name: "readiness never comes: the old pods serve",
      before: (stage) => {
        stage.set("app.startupTimeout", "5s");
        stage.set("app.progressDeadline", "6s");
        stage.set("app.image", "notes:1.2.0-unready");
      },
      command: { verb: "up" },
      ok: false,
      steps: ["2 create Job", "update Deployment (failed)"],
      also: ({ app }) => (app.includes('"version":"1.1.0"') ? undefined : `the app answers ${app}`),
    },
    {
      name: "a good image after the stuck rollout",
      before: (stage) => stage.set("app.image", "notes:1.2.0"),
      command: { verb: "up" },
      ok: true,
      also: ({ app }) => (app.includes('"version":"1.2.0"') ? undefined : `the app answers ${app}`),
    },
  ],
};

export const snapshots: Story = {
  name: "snapshots that can not be relied upon",
  scenarios: [
    {
      name: "a snapshot fails: the migration does not start",
      before: (stage) => stage.faults("snapshot-fails"),
      command: { verb: "up" },
      ok: false,
      also: ({ objects }) => objects.find((line) => line.includes("-migrate-")),
    },
    {
      name: "the same up takes another",
      before: (stage) => stage.faults(),
      command: { verb: "up" },
      ok: true,
    },
    {
      name: "the instance stays busy: the migration does not start",
      before: (stage) => {
        stage.faults("instance-unavailable");
        stage.set("backup.timeout", "3s");
        stage.migration("20260401000000_colour", GOOD);
      },
      command: { verb: "up" },
      ok: false,
      also: ({ database }) => (database.includes("notes.colour text") ? "the migration ran" : undefined),
    },
    {
      name: "the same up waits until the instance is available",
      before: (stage) => stage.set("backup.timeout", "1m"),
      command: {
        verb: "up",
        meanwhile: { told: "RDS takes no snapshot of notes-db now", act: (stage) => stage.faults() },
      },
      ok: true,
      also: ({ database }) => (database.includes("notes.colour text") ? undefined : "the migration did not run"),
    },
    {
      name: "a snapshot that stays creating is not relied upon",
      before: (stage) => {
        stage.faults("snapshot-stays-creating");
        stage.set("backup.timeout", "5s");
        stage.migration("20260402000000_shape", 'ALTER TABLE "notes" ADD COLUMN "shape" TEXT;\n');
      },
      command: { verb: "up" },
      ok: false,
      also: ({ database }) => (database.includes("notes.shape text") ? "the migration ran" : undefined),
    },
  ],
};
