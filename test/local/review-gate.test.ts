import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { listSnapshots } from "../../local/cloud/aws/records";
import { testsBuildOnEachOther } from "../support/lifecycle";
import { Cli, ownHistory } from "./cli";

/** Nothing that goes wrong in a release may turn its review off. The tests build on each other, in their order. */
describe.sequential("the review of a release", { timeout: 300_000 }, () => {
  testsBuildOnEachOther();
  const cli = new Cli(6);
  const snapshots = async () => (await listSnapshots(cli.cloudDir())).length;
  const refusing = ["--config", 'review.refuse=["destructive"]'];
  const drop = "20260401090000_drop_pinned";
  afterAll(() => cli.end(), 60_000);

  test("refuses as before, when a snapshot was interrupted and taken up again", async () => {
    await cli.run("fault", "snapshot-stays-creating");
    const interrupted = await cli.run("up", "--config", "backup.timeout=1s");
    expect(interrupted.status).toBe(1);
    await cli.run("fault", "none");
    const finished = await cli.run("up");
    expect(finished.status, finished.stdout).toBe(0);
    expect(await cli.outputs()).toMatchObject({ snapshot: { arn: expect.stringMatching(/^arn:aws:rds:/) } });

    cli.addMigration(drop, 'ALTER TABLE "notes" DROP COLUMN "pinned";\n');
    cli.unset("review.run");
    const refused = await cli.run("preview", ...refusing);
    expect(refused.status).toBe(1);
    expect(refused.stdout).toContain("REFUSED: drop-column notes.pinned");
    cli.set("review.run", "false");
    // The preview has also run the migration, on a server of its own.
    expect(refused.stdout).toMatch(/Run on Postgres 18\.\d in [\s\S]*20260401090000_drop_pinned {2}\d+ ms, 0 rows/);
    // It names the pending migrations, also where it ends with what is refused.
    expect(refused.stdout).toMatch(new RegExp(`1 migration is pending:\\n +${drop} {2}1 statement\\n`));
  });

  test("refuses before the snapshot where nothing told what is live: an app that exists already", async () => {
    const file = join(cli.stateDir, "release", "local", "state.json");
    const state = JSON.parse(readFileSync(file, "utf8"));
    const stack = state.deployment.resources.find(({ type }: { type: string }) => type === "pulumi:pulumi:Stack");
    stack.outputs = {};
    writeFileSync(file, JSON.stringify(state));

    const preview = await cli.run("preview", ...refusing);
    expect(preview.status, preview.stdout).toBe(0);
    expect(preview.stdout).toContain("EMPTY database");
    const before = await snapshots();
    const refused = await cli.run("up", ...refusing);
    expect(refused.status).toBe(1);
    expect(refused.stdout).toMatch(/FAILED \(preflight\)[\s\S]*drop-column notes\.pinned/);
    expect(await snapshots()).toBe(before);
    expect((await cli.run("query", "SELECT count(pinned) FROM notes")).status).toBe(0);

    // What it says to add is the way on.
    const [, line] = /Next: .* review\.acknowledgements .*: - (\{.*?\}); then/.exec(refused.stdout)!;
    const acknowledged = await cli.run("up", ...refusing, "--config", `review.acknowledgements=[${line}]`);
    expect(acknowledged.status, acknowledged.stdout).toBe(0);
    expect(await cli.outputs()).toMatchObject({
      migrations: { last: drop, count: ownHistory().slice(0, 6).length + 1 },
    });
  });
});
