import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(__dirname, "../..");

test("every failure of a dump is explained in docs/backup.md", () => {
  const folder = join(root, "backup/failures");
  const codes = readdirSync(folder).flatMap((file) =>
    [...readFileSync(join(folder, file), "utf8").matchAll(/code = "([a-z-]+)"/g)].map(([, code]) => code!),
  );
  const page = readFileSync(join(root, "docs/backup.md"), "utf8");
  expect(codes.length).toBeGreaterThan(20);
  expect(codes.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});
