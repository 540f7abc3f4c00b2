import type { Reporter, TestModule } from "vitest/node";

/** Ends a run with the line that CI reads, `N passed, N failed`, alone; a file that could not be loaded is a failure. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandledErrors.length;
    let skipped = 0;
    for (const module of modules) {
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        if (state === "passed") passed++;
        else if (state === "failed") failed++;
        else skipped++;
      }
    }
    // What is skipped is told, as neither: CI reads the last line alone.
    const told = skipped > 0 ? `${skipped} skipped\n` : "";
    process.on("exit", () => process.stdout.write(`${told}${passed} passed, ${failed} failed\n`));
  }
}
