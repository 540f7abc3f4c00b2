import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { binariesOf, MajorUnavailable } from "../../embedded/majors";

test("a major without binaries is refused with those that there are", async () => {
  await expect(binariesOf(9)).rejects.toThrow(/Postgres 9 can't be run here: there are binaries of 13, .* 18\./);
});

// Root keeps its binaries in a folder that the tests of other majors share.
test.skipIf(process.getuid?.() === 0)(
  "binaries that npm can't install are unavailable, with npm's reason",
  async () => {
    const cache = await fs.mkdtemp(path.join(os.tmpdir(), "no-binaries-"));
    const before = { ...process.env };
    try {
      Object.assign(process.env, { XDG_CACHE_HOME: cache, PATH: "/nonexistent" });
      await expect(binariesOf(14)).rejects.toThrow(MajorUnavailable);
      expect(await fs.readdir(path.join(cache, "release-local"))).toEqual([]);
    } finally {
      process.env = before;
      await fs.rm(cache, { recursive: true, force: true });
    }
  },
);
