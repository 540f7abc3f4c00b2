import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findSchema, readSchema } from "../../prisma/find-schema";

const before = process.cwd();
let root = "";
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "find-schema-")));
  process.chdir(root);
});
afterEach(() => {
  process.chdir(before);
  rmSync(root, { recursive: true, force: true });
});

function write(files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

const model = "model A {\n  id Int @id\n}\n";

describe("the schema of a folder of migrations", () => {
  test.each<[string, Record<string, string>, string | undefined]>([
    ["is the file beside it", { "prisma/schema.prisma": model }, "prisma/schema.prisma"],
    ["is the folder `schema` beside it", { "prisma/schema/a.prisma": model }, "prisma/schema"],
    ["is the files beside it, if they have other names", { "prisma/main.prisma": model }, "prisma"],
    [
      "is what prisma.config.ts names",
      { "prisma.config.ts": 'export default defineConfig({ schema: "db/all.prisma" });', "db/all.prisma": model },
      "db/all.prisma",
    ],
    [
      "is what prisma.config.ts joins",
      {
        "prisma.config.ts":
          '// schema: "x"\nexport default { schema: path.join(__dirname, "prisma"), migrations: { path: path.join(__dirname, "prisma/migrations") } };',
        "prisma/models/a.prisma": model,
      },
      "prisma",
    ],
    [
      "is not what prisma.config.ts names for another folder",
      {
        "prisma.config.ts": 'export default { schema: "other.prisma", migrations: { path: "other/migrations" } };',
        "other.prisma": model,
      },
      undefined,
    ],
    [
      "is what package.json names",
      { "package.json": '{"prisma": {"schema": "db/schema.prisma"}}', "db/schema.prisma": model },
      "db/schema.prisma",
    ],
    [
      "is not what a package further up names",
      { "prisma/package.json": "{}", "package.json": '{"prisma": {"schema": "a.prisma"}}', "a.prisma": model },
      undefined,
    ],
    ["is missing", {}, undefined],
  ])("%s", (_, files, path) => {
    mkdirSync(join(root, "prisma/migrations"), { recursive: true });
    write(files);
    expect(findSchema("prisma/migrations")?.path).toBe(path);
  });

  test("comes with the tables that prisma.config.ts names as external", () => {
    write({
      "prisma.config.ts":
        'export default { schema: "a.prisma", tables: { external: ["auth.users", "b"] }, enums: { external: ["c"] } };',
      "a.prisma": model,
    });
    expect(findSchema("prisma/migrations")).toEqual({
      path: "a.prisma",
      found: true,
      external: ["auth.users", "b", "c"],
    });
  });

  test("is read with all its files, but not those of links, packages and migrations", () => {
    write({
      "s/a.prisma": "a",
      "s/deep/b.prisma": "b",
      "s/node_modules/c.prisma": "c",
      "s/x.txt": "x",
      "d.prisma": "d",
    });
    symlinkSync(join(root, "d.prisma"), join(root, "s/d.prisma"));
    expect(readSchema("s")).toEqual([
      { path: "s/a.prisma", text: "a" },
      { path: "s/deep/b.prisma", text: "b" },
    ]);
    expect(readSchema("nowhere")).toBeUndefined();
  });
});
