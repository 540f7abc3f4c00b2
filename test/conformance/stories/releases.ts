import type { Story } from "../scenario";
import { FIRST_RELEASE, GOOD, GOOD_MIGRATION, IMAGE_ONLY } from "./steps";

const job = { group: "batch", kind: "Job", namespace: "default" };

export const releases: Story = {
  name: "releases",
  scenarios: [
    { name: "preview before the first release", command: { verb: "preview" }, ok: true, steps: FIRST_RELEASE },
    { name: "first release", command: { verb: "up" }, ok: true, steps: FIRST_RELEASE },
    { name: "the same again: nothing to do", command: { verb: "up" }, ok: true, steps: [] },
    {
      name: "preview of a new image",
      before: (stage) => stage.set("app.image", "notes:1.1.0"),
      command: { verb: "preview" },
      ok: true,
      steps: IMAGE_ONLY,
    },
    { name: "image only: no snapshot", command: { verb: "up" }, ok: true, steps: IMAGE_ONLY },
    {
      name: "settings only: no Job",
      before: (stage) => stage.set("app.env", '{"LOG_LEVEL": "debug"}'),
      command: { verb: "up" },
      ok: true,
      steps: ["update Deployment"],
    },
    {
      name: "preview of a good migration",
      before: (stage) => stage.migration("20260401000000_colour", GOOD),
      command: { verb: "preview" },
      ok: true,
      steps: GOOD_MIGRATION,
    },
    {
      name: "a good migration; the ConfigMap that it replaces goes at the end",
      command: { verb: "up" },
      ok: true,
      steps: GOOD_MIGRATION,
      also: ({ database }) => (database.includes("notes.colour text") ? undefined : "the column is missing"),
    },
    {
      name: "the image is downgraded",
      before: (stage) => stage.set("app.image", "notes:1.0.0"),
      command: { verb: "up" },
      ok: true,
      steps: IMAGE_ONLY,
    },
    {
      name: "a new workload",
      before: (stage) =>
        stage.set(
          "workloads",
          '[{"kind": "cron", "name": "cleanup", "schedule": "15 3 * * *", "command": ["node", "x"]}]',
        ),
      command: { verb: "up" },
      ok: true,
      steps: ["create CronJob"],
    },
    {
      name: "a removed workload",
      before: (stage) => stage.set("workloads", undefined),
      command: { verb: "up" },
      ok: true,
      steps: ["delete CronJob"],
    },
    { name: "refresh finds nothing new", command: { verb: "refresh" }, ok: true, steps: [] },
    {
      name: "refresh after the Job was deleted by hand",
      before: async (stage) => {
        const name = (await stage.names("batch", "Job")).find((each) => !each.includes("-preflight-"))!;
        await stage.cloud("kubernetes.delete", { reference: { ...job, name } });
      },
      command: { verb: "refresh" },
      ok: true,
      steps: ["refresh Job (delete)"],
    },
    {
      name: "the deleted Job runs again, and has nothing to do",
      command: { verb: "up" },
      ok: true,
      steps: ["create Job"],
    },
    {
      name: "refresh after the snapshot was deleted by hand",
      before: (stage) => stage.deleteNewestSnapshot(),
      command: { verb: "refresh" },
      ok: true,
      steps: ["refresh Snapshot (delete)"],
    },
    {
      name: "the deleted snapshot is taken again, the note of its end and the Job replaced",
      command: { verb: "up" },
      ok: true,
      steps: [
        "create Snapshot",
        ...["Command", "Job"].flatMap((kind) => [
          `create-replacement ${kind}`,
          `delete-replaced ${kind}`,
          `replace ${kind}`,
        ]),
      ],
    },
    {
      name: "destroy keeps the snapshots",
      command: { verb: "destroy" },
      ok: true,
      steps: [
        "3 delete Command",
        "2 delete ConfigMap",
        "2 delete Job",
        "delete Deployment",
        "delete PodDisruptionBudget",
        "delete Service",
        "delete Snapshot (retained)",
      ],
      also: ({ snapshots }) => (snapshots.length > 0 ? undefined : "the snapshots are gone"),
    },
    {
      name: "a release after destroy takes over its snapshot",
      command: { verb: "up" },
      ok: true,
      steps: [...FIRST_RELEASE.filter((step) => step !== "create Snapshot"), "import Snapshot"],
    },
  ],
};
