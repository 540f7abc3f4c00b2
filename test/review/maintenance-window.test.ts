import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const script = join(__dirname, "../../.github/maintenance-window.mjs");
const isInside = async (window: string, zone: string, at: string): Promise<boolean> =>
  (await import(script)).isInside(window, zone, new Date(at));

describe("the maintenance window", () => {
  // 2026-11-20 is a Friday, 2026-11-21 a Saturday.
  test.each([
    ["Mon-Fri 09:00-15:00", "UTC", "2026-11-20T09:00:00Z", true],
    ["Mon-Fri 09:00-15:00", "UTC", "2026-11-20T08:59:59Z", false],
    ["Mon-Fri 09:00-15:00", "UTC", "2026-11-20T15:00:00Z", false],
    ["Mon-Fri 09:00-15:00", "UTC", "2026-11-21T10:00:00Z", false],
    ["Fri 09:00-15:00", "Europe/Berlin", "2026-11-20T08:30:00Z", true],
    ["Fri 09:00-15:00", "America/New_York", "2026-11-20T09:30:00Z", false],
    ["Fri 22:00-02:00", "UTC", "2026-11-20T23:00:00Z", true],
    ["Fri 22:00-02:00", "UTC", "2026-11-21T01:59:00Z", true],
    ["Fri 22:00-02:00", "UTC", "2026-11-20T01:00:00Z", false],
    ["Sat-Mon 00:00-24:00", "UTC", "2026-11-22T12:00:00Z", true],
    ["Sat-Mon 00:00-24:00", "UTC", "2026-11-24T12:00:00Z", false],
    ["Mon 09:00-10:00, Fri 09:00-10:00", "UTC", "2026-11-20T09:30:00Z", true],
  ])("%s %s at %s: %s", async (window, zone, at, inside) => {
    expect(await isInside(window, zone, at)).toBe(inside);
  });

  test.each(["daily", "Mon 9-15", "Mon-Xyz 09:00-15:00", "Mon 25:00-26:00", "Mon 09:70-10:00", "Mon 09:00-15:00,"])(
    "%j is refused",
    async (window) => {
      await expect(isInside(window, "UTC", "2026-11-20T09:30:00Z")).rejects.toThrow(/is no maintenance window/);
    },
  );

  test("any time will do where none is set", () => {
    expect(execFileSync(process.execPath, [script, "", "UTC"], { encoding: "utf8" })).toContain("any time will do");
    expect(() => execFileSync(process.execPath, [script, "never"], { stdio: "pipe" })).toThrow();
  });

  test("is closed also where the script is called through a symbolic link, and where its time zone is none", () => {
    const folder = mkdtempSync(join(tmpdir(), "maintenance window "));
    const link = join(folder, "window.mjs");
    symlinkSync(script, link);
    // A day that is neither yesterday, today nor tomorrow, in any time zone.
    const closed = `${["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][(new Date().getUTCDay() + 3) % 7]} 09:00-10:00`;
    for (const words of [
      [link, closed, "UTC"],
      ["--preserve-symlinks-main", link, closed, "UTC"],
      ["--preserve-symlinks", script, closed, "UTC"],
      [link, closed, "Nowhere/Else"],
    ]) {
      const { status, stdout } = spawnSync(process.execPath, words, { encoding: "utf8" });
      expect([status, stdout]).toEqual([1, expect.stringMatching(/^::error::.*Nothing was touched/)]);
    }
    const open = spawnSync(process.execPath, [link, "Sun-Sat 00:00-24:00"], { encoding: "utf8" });
    expect([open.status, open.stdout]).toEqual([0, "Inside the maintenance window: Sun-Sat 00:00-24:00 UTC.\n"]);
    rmSync(folder, { recursive: true });
  });
});
