import { beforeEach } from "vitest";

/**
 * Declares, at the top of a `describe.sequential`, that its tests build on each other: after the first one that fails the
 * others are skipped, so that one fault is reported once.
 */
export function testsBuildOnEachOther(): void {
  let failed: string | undefined;
  beforeEach((context) => {
    context.skip(failed !== undefined, `"${failed}" failed before`);
    context.onTestFailed(() => {
      failed = context.task.name;
    });
  });
}
