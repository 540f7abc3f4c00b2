import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // `npm run test:package` installs the package from the registry, which takes minutes.
    exclude: [...configDefaults.exclude, ...(process.env["TEST_PACKAGE"] ? [] : ["test/package/**"])],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 3,
    reporters: ["default", "./test/support/closing-line.ts"],
  },
});
