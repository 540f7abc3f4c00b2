import type { Story } from "../scenario";
import { CONTRACT, FIRST_RELEASE, GOOD, GOOD_MIGRATION, withoutSnapshot } from "./steps";

export const databases: Story = {
  name: "databases and backups of other kinds",
  scenarios: [
    {
      name: "a first release on an Aurora cluster",
      before: (stage) => stage.set("database.kind", "cluster"),
      command: { verb: "up" },
      ok: true,
      steps: [...withoutSnapshot(FIRST_RELEASE), "create ClusterSnapshot"],
    },
    {
      name: "the database refuses connections: nothing is touched",
      before: async (stage) => {
        stage.migration("20260401000000_colour", GOOD);
        stage.faults("database-refuses");
        await stage.cloud("aws.applyFaults", undefined);
      },
      command: { verb: "up" },
      ok: false,
      steps: ["create ConfigMap", "create Job (failed)"],
      // How much of it the app answers while its database is away is its own affair.
      mayDiffer: ["app"],
    },
    {
      name: "the same up when the database is back",
      before: async (stage) => {
        stage.faults();
        await stage.cloud("aws.applyFaults", undefined);
      },
      command: { verb: "up" },
      ok: true,
      also: ({ database }) => (database.includes("notes.colour text") ? undefined : "the column is missing"),
    },
    {
      name: "a contract migration runs after the rollout, in a Job of its own",
      before: (stage) => stage.migration("20260402000000_contract", CONTRACT),
      command: { verb: "up" },
      ok: true,
      steps: [
        ...withoutSnapshot(GOOD_MIGRATION).filter((step) => step !== "2 create Job"),
        "3 create Job",
        "create ClusterSnapshot",
        "delete ClusterSnapshot (retained)",
      ],
      also: ({ database }) => (database.includes("notes.colour text") ? "the column is still there" : undefined),
    },
    {
      name: "a release without a backup, where that is allowed",
      before: (stage) => {
        stage.set("policy.backup", "optional");
        stage.set("backup.mode", "none");
        stage.set("app.image", "notes:1.1.0");
      },
      command: { verb: "up" },
      ok: true,
    },
  ],
};
