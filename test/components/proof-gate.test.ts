import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { parseSettings } from "../../components";
import { type ProofGateArgs, proofGate } from "../../components/proof-gate";
import type { RehearsalProof } from "../../report/rehearsal-proof";
import { writeReviewProof } from "../../review/proof-file";
import { loadParser, reviewRelease } from "../../review/review";
import { PulumiRecorder } from "../support/pulumi-recorder";

const STAGING = "organization/notes/staging";
const migrations = [{ name: "1_init", sql: "CREATE TABLE a ()", checksum: "c".repeat(64) }];
const fingerprint = "0123456789abcdef".repeat(4);
const rehearsed: RehearsalProof = {
  ...{ fingerprint, at: new Date().toISOString(), of: "snapshot notes-db-1", result: "passed" },
};

let directory: string;
let recorder: PulumiRecorder;
let args: ProofGateArgs;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "release-proofs-"));
  await loadParser();
});
afterAll(() => rmSync(directory, { recursive: true }));
beforeEach(() => start());

async function start(preview = false): Promise<void> {
  recorder = new PulumiRecorder();
  await recorder.start(preview);
  recorder.stacks[STAGING] = {};
  args = { ...{ live: {}, directory, commands: {} }, last: undefined, review: reviewRelease({ history: migrations }) };
}

function inCluster(proof: RehearsalProof | undefined): void {
  args.last = { proof };
}

function liveInStaging(of = fingerprint): void {
  const outputs = { image: "notes:1", migrations: { last: "1_init", count: 1, fingerprint: of } };
  recorder.stacks[STAGING] = { release: outputs };
}

function gated(policy: object, rehearsal: object = {}): Promise<boolean> {
  const { settings, problems } = parseSettings({
    app: { name: "notes", image: "notes:1" },
    database: { identifier: "notes-db", secret: { name: "notes-database" } },
    migrations: { directory: "migrations" },
    ...{ policy, rehearsal },
  });
  if (!settings) throw new Error(problems.join());
  return proofGate(settings, { fingerprint }, args);
}

const ALL = { proof: ["review", "staging", "rehearsal"], staging: STAGING };

describe("a release with migrations", () => {
  test("is refused with every proof that is missing, and the command that makes each", async () => {
    await expect(gated(ALL)).rejects.toThrow(
      "By policy.proof in Pulumi.test.yaml, these migrations need what does not exist for them yet:\n" +
        "  - review: no review of this stack has run these migrations on a real Postgres.\n" +
        "    It is made by: npm run review -- --run --proof --stack test\n" +
        "  - staging: stack organization/notes/staging has no outputs of a completed release.\n" +
        "    It is made by: pulumi up --stack organization/notes/staging\n" +
        "  - rehearsal: there is no rehearsal of this stack.\n" +
        "    It is made by: npm run ops -- rehearse --stack test\n" +
        "Nothing was touched: database and app are as they were.\n" +
        "Next: run these commands, then the same command again",
    );
    expect(recorder.registrations).toEqual([]);
  });

  test("goes on when all of them are there for these very migrations", async () => {
    const proof = { kind: "review", fingerprint, stack: "test", at: rehearsed.at, postgres: "18.4", migrations: [] };
    writeReviewProof(directory, { ...proof, kind: "review" });
    liveInStaging();
    inCluster(rehearsed);
    expect(await gated(ALL, { mode: "copy" })).toBe(false);
  });

  test("names the commands of the local cloud where it runs there", async () => {
    args.commands = { ops: "npm run local -- ops", up: "npm run local -- up" };
    await expect(gated(ALL)).rejects.toThrow(
      /: npm run local -- up --stack staging\n[\s\S]*: npm run local -- ops rehearse --stack test\n/,
    );
  });

  const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
  test.each([
    ["of other migrations", { ...rehearsed, fingerprint: "f".repeat(64) }, /was of other migrations\./],
    [
      "that failed",
      { ...rehearsed, result: "failed", reason: "1_init failed." } as const,
      /UTC, failed: 1_init failed/,
    ],
    ["that is too old", { ...rehearsed, at: ago(4) }, /is older than rehearsal\.maxAge \(3d\)/],
  ])("is not proved by a rehearsal %s", async (_, proof, message) => {
    inCluster(proof);
    await expect(gated({ proof: ["rehearsal"] })).rejects.toThrow(message);
  });

  test("is not proved by a rehearsal that exceeds the limits of today", async () => {
    const measurement = {
      ...{ milliseconds: 90_000, diskBytes: 0, walBytes: 0, growth: {}, plans: undefined },
      migrations: [{ name: "1_init", milliseconds: 90_000, blocked: [], statements: [] }],
    };
    inCluster({ ...rehearsed, measurement });
    await gated({ proof: ["rehearsal"] });
    await expect(gated({ proof: ["rehearsal"] }, { limits: { duration: "1m" } })).rejects.toThrow(
      /exceeds a limit: The migrations take 1 min 30 s, and rehearsal\.limits\.duration is 1m/,
    );
  });

  test("is refused where the cluster or the other stack doesn't answer", async () => {
    args.last = { unknown: "kubectl says: connection refused" };
    recorder.stacks[STAGING] = new Error(`invocation of f returned an error: unknown stack "${STAGING}"`);
    await expect(gated({ ...ALL, proof: ["staging", "rehearsal"] })).rejects.toThrow(
      /can't be read: unknown stack ".*"\. Correct policy\.staging[\s\S]*can't be read: kubectl says: connection refused/,
    );
  });

  test("is not proved by other migrations in staging", async () => {
    liveInStaging("f".repeat(64));
    await expect(gated({ proof: ["staging"], staging: STAGING })).rejects.toThrow(
      "has other migrations live (up to 1_init, with notes:1)",
    );
  });

  test("rehearses them itself if rehearsal.mode says so and nothing proves them", async () => {
    expect(await gated({}, { mode: "copy" })).toBe(true);
    expect(await gated({}, { mode: "none" })).toBe(false);
    args.last = { unknown: "kubectl says: connection refused" };
    expect(await gated({}, { mode: "copy" })).toBe(true);
  });

  test("is only warned in a preview", async () => {
    await start(true);
    const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
    await gated(ALL);
    expect(warn.mock.calls[0]![0]).toMatch(
      /^`up` would end before anything is touched[\s\S]* - staging: [\s\S]* - rehearsal: /,
    );
    warn.mockRestore();
  });
});

describe("needs no proof and no rehearsal:", () => {
  test("a release of only a new image", async () => {
    args.live = { fingerprint };
    expect(await gated(ALL, { mode: "copy" })).toBe(false);
    expect(recorder.calls).toEqual([]);
  });

  test("a release that has nothing to apply", async () => {
    args.review = reviewRelease({ history: migrations, applied: migrations });
    expect(await gated(ALL, { mode: "copy" })).toBe(false);
  });
});
