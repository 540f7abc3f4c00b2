import type { Interruption } from "../run-operation";
import type { Scenario, Story } from "../scenario";
import { FIRST_RELEASE, migrationStarted, SLOW, started } from "./steps";

/** What is done by the time of the interruption is a matter of moments; what must hold is asked after the next `up`. */
const interrupted = (name: string, migration: string, interruption: Interruption): Scenario => ({
  name,
  before: (stage) => stage.migration(migration, SLOW.replace("slow", migration)),
  command: { verb: "up", interruption },
  ok: false,
  mayDiffer: ["steps", "summary", "state", "snapshots", "objects", "database", "canceled", "outputs", "app"],
});

const goesOn = (migration: string): Scenario => ({
  name: `the next up goes on, and applies ${migration} once`,
  command: { verb: "up" },
  ok: true,
  // Which step was under way decides between create, replace and import.
  mayDiffer: ["steps", "summary"],
  also: ({ database, state }) => {
    if (database.filter((line) => line === migration).length !== 1) return `the history has ${database.join(", ")}`;
    return state.find((line) => line.startsWith("pending: "));
  },
});

export const interruptions: Story = {
  name: "interruptions",
  scenarios: [
    { name: "a release to begin with", command: { verb: "up" }, ok: true, steps: FIRST_RELEASE },
    interrupted("interrupted during the migration", "20260401000000_a", { when: migrationStarted, how: "once" }),
    goesOn("20260401000000_a"),
    interrupted("interrupted twice during the migration", "20260402000000_b", { when: migrationStarted, how: "twice" }),
    goesOn("20260402000000_b"),
    interrupted("killed during the migration", "20260403000000_c", { when: migrationStarted, how: "kill" }),
    goesOn("20260403000000_c"),
    interrupted("killed during the snapshot", "20260404000000_d", { when: started("Snapshot"), how: "kill" }),
    goesOn("20260404000000_d"),
    interrupted("killed during the rollout", "20260405000000_e", { when: started("Deployment"), how: "kill" }),
    goesOn("20260405000000_e"),
  ],
};
