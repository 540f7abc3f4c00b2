import { execFile } from "node:child_process";
import { promises as fs } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { locate, locateBinaries } from "../../embedded/binaries";

test("binaries from a checkout that the server's user can't read, unpacked without install scripts, are copied", async () => {
  const { directory, account } = await locateBinaries();
  const hidden = await fs.mkdtemp("/tmp/hidden-checkout-");
  const places = await fs.mkdtemp("/tmp/binaries-");
  try {
    await fs.chmod(places, 0o755);
    const packaged = path.join(hidden, "package", "native");
    await fs.cp(directory, packaged, {
      recursive: true,
      filter: async (file) => !file.endsWith(".a") && !(await fs.lstat(file)).isSymbolicLink(),
    });
    await promisify(execFile)("chmod", ["-R", "go-rwx", hidden]);
    // An ordinary user owns the checkout; it can't be written to in a read-only image.
    if (!account) await promisify(execFile)("chmod", ["-R", "a-w", hidden]);
    const found = await locate(packaged, [places]);
    if (account || process.getuid?.() !== 0) expect(found.directory.startsWith(places)).toBe(true);
    expect(found.version).toMatch(/^18\./);
    expect(await locate(packaged, [places])).toEqual(found);
  } finally {
    await promisify(execFile)("chmod", ["-R", "u+w", hidden]);
    await fs.rm(hidden, { recursive: true, force: true });
    await fs.rm(places, { recursive: true, force: true });
  }
});
