import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test, vi } from "vitest";
import { reviewGate } from "../../components";
import { checksumOf, type Migration } from "../../migrations/history/history";
import { previewTrial } from "../../program/preview-trial";
import { parseSettings } from "../../settings/parse";
import { PulumiRecorder } from "../support/pulumi-recorder";

const migration = (name: string, sql: string): Migration => ({ name, sql, checksum: checksumOf(sql) });
const base = migration("1_base", "CREATE TABLE a (id INT); INSERT INTO a VALUES (1), (1);");
const unique = migration("2_unique", "CREATE UNIQUE INDEX a_id ON a (id);");
const place = { applied: new Set(["1_base"]), directory: "." };

const settings = (review: object = {}) =>
  parseSettings({
    app: { name: "shop", image: "shop:1" },
    database: { identifier: "shop-db", secret: { name: "shop-database" } },
    migrations: { directory: "migrations" },
    review,
  }).settings!;

async function preview(isPreview = true): Promise<void> {
  await new PulumiRecorder().start(isPreview);
}

describe("a preview", () => {
  test("runs the pending migrations, and its review shows and refuses what failed as any other finding", async () => {
    await preview();
    const history = { migrations: [base, unique] };
    const live = { migration: "1_base" };
    const runThem = (refuse: string[]) => {
      const chosen = settings({ refuse });
      return reviewGate(chosen, history, live, {
        runThem: (applied) => previewTrial(chosen, history, { ...place, applied }),
      });
    };
    const review = await runThem([]);
    expect(review).toMatchObject({ trial: { postgres: expect.stringMatching(/^18/) }, refused: [] });
    expect(review.findings).toContainEqual(expect.objectContaining({ id: "fails-when-run", migration: "2_unique" }));
    await expect(
      reviewGate(settings({ refuse: ["failing"] }), history, live, { runThem: async () => review.trial }),
    ).rejects.toThrow(/REFUSED: fails-when-run/);
  });

  const slow = migration("2_slow", "SELECT pg_sleep(60);");
  /** A place for the folders of servers, each of which is removed when its server has ended. */
  const placeOfServers = () => {
    const folder = mkdtempSync(join(tmpdir(), "preview-trial-"));
    chmodSync(folder, 0o777);
    vi.stubEnv("TMPDIR", folder);
    return folder;
  };

  test("waits no longer than its limit, and leaves no server", async () => {
    await preview();
    const folder = placeOfServers();
    const began = performance.now();
    const trial = await previewTrial(settings(), { migrations: [base, slow] }, place, 2000);
    vi.unstubAllEnvs();
    expect(trial).toEqual({ unavailable: expect.stringContaining("they take longer than 2 s"), findings: [] });
    expect(performance.now() - began).toBeLessThan(30_000);
    await expect.poll(() => readdirSync(folder), { timeout: 10_000 }).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  test("that is interrupted takes the program and its server along", async () => {
    const folder = placeOfServers();
    const program = spawn(process.execPath, ["bin/start.cjs", "trial"], { stdio: ["pipe", "ignore", "ignore"] });
    vi.unstubAllEnvs();
    const ended = once(program, "exit");
    program.stdin.write(`${JSON.stringify({ history: [slow], applied: [] })}\n`);
    const files = () => readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => basename(path));
    await expect.poll(files, { timeout: 60_000 }).toContain("postmaster.pid");
    program.stdin.end();
    expect(await ended).toEqual([1, null]);
    await expect.poll(() => readdirSync(folder), { timeout: 10_000 }).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  test("tells as a note that the seed fails", async () => {
    await preview();
    const trial = await previewTrial(
      settings({ seed: "nowhere.sql" }),
      { migrations: [base] },
      { ...place, applied: new Set() },
    );
    expect(trial).toEqual({ unavailable: expect.stringMatching(/^The seed .*nowhere.sql/), findings: [] });
  });

  test("runs nothing in up, without pending migrations, by the setting, and where no binaries are", async () => {
    await preview(false);
    expect(pulumi.runtime.isDryRun()).toBe(false);
    const history = { migrations: [base, unique] };
    expect(await previewTrial(settings(), history, place)).toBeUndefined();
    await preview();
    expect(await previewTrial(settings(), { migrations: [base] }, place)).toBeUndefined();
    expect(await previewTrial(settings({ run: false }), history, place)).toBeUndefined();
    const { review } = settings();
    expect(await previewTrial({ review: { ...review, postgres: 99 } }, history, place)).toBeUndefined();
  });
});
