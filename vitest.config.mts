import { configDefaults, defineConfig } from "vitest/config";

/** Tests that take minutes each. `npm run test:long` runs them, so that the others end within 20 minutes on 2 cores. */
const LONG = [
  "test/local/adoption.test.ts",
  "test/local/branch.test.ts",
  "test/local/command-runner.test.ts",
  "test/local/earlier-version.test.ts",
  "test/local/hotfix.test.ts",
  "test/local/interrupt.test.ts",
  "test/local/kill.test.ts",
  "test/local/pruned.test.ts",
  "test/local/stacks.test.ts",
  "test/rehearsal/backups.test.ts",
  "test/rehearsal/kill.test.ts",
  "test/rehearsal/million.test.ts",
  "test/rehearsal/rows.test.ts",
  "test/rehearsal/stop.test.ts",
  "test/restore/switch/switch.test.ts",
  "test/restore/switch/writers.test.ts",
];

/** Tests of which a part takes minutes, and only runs where TEST_LONG is set. */
const PARTLY_LONG = ["test/local/broken-state.test.ts", "test/local/dump.test.ts"];

export default defineConfig({
  test: {
    include: process.env["TEST_LONG"] ? [...LONG, ...PARTLY_LONG] : ["test/**/*.test.ts"],
    // `npm run test:package` installs the package from the registry, which takes minutes.
    exclude: [
      ...configDefaults.exclude,
      ...(process.env["TEST_PACKAGE"] ? [] : ["test/package/**"]),
      ...(process.env["TEST_LONG"] ? [] : LONG),
    ],
    // In CI a review runs the migrations on a server; a test that wants that passes --run.
    env: { CI: "" },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 3,
    reporters: ["default", "./test/support/closing-line.ts"],
  },
});
