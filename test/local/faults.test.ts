import { afterAll, describe, expect, test } from "vitest";
import { testsBuildOnEachOther } from "../support/lifecycle";
import { Cli, endedSteps, getJson, processesOf, type Ran } from "./cli";

/** A first release that meets one fault after the other, until there is none left. */
describe.sequential("a fault of the cloud", { timeout: 300_000 }, () => {
  testsBuildOnEachOther();
  const cli = new Cli(2);
  cli.set("backup.timeout", "3s");
  cli.set("migrations.deadline", "10s");
  cli.set("migrations.connectWait", "5s");
  cli.set("migrations.statementTimeout", "5s");
  afterAll(() => cli.end(), 60_000);

  const started = (ran: Ran, name: string) =>
    ran.steps.filter(
      (step) => step.name.startsWith(name) && step.status === "started" && /^kubernetes:/.test(step.type),
    );

  test("is listed, set before anything runs, and set alone", async () => {
    expect((await cli.run("fault")).stdout).toMatch(/^off +snapshot-fails/m);
    const ran = await cli.run("fault", "snapshot-fails", "--json");
    expect(ran.events).toEqual([{ faults: ["snapshot-fails"] }]);
    expect(processesOf(cli.stateDir)).toEqual([]);
  });

  test.each([
    [
      "instance-unavailable",
      /RDS took no snapshot of notes-db for 3s \(backup\.timeout\)\. .* not currently in the available/,
    ],
    ["snapshot-fails", /failed/i],
    ["snapshot-stays-creating", /still "creating" after 3s|timeout|waiting/i],
  ])("%s: the migration does not start", async (fault, message) => {
    expect((await cli.run("fault", fault)).status).toBe(0);
    const ran = await cli.run("up", "--json");
    expect(ran.status).toBe(1);
    expect(started(ran, "notes-migrate-")).toEqual([]);
    expect(endedSteps(ran, "Deployment")).toEqual([]);
    const { errors } = ran.events.at(-1);
    expect([...errors, ...endedSteps(ran).map(({ error }) => error ?? "")].join("\n")).toMatch(message);
    const history = await cli.run("query", "SELECT to_regclass('_prisma_migrations') AS found", "--json");
    expect(history.events).toEqual([{ found: null }]);
    expect((await cli.run("status")).stdout).toContain(fault);
  });

  test("database-refuses: the Job ends within its deadline, and nothing is rolled out", async () => {
    expect((await cli.run("fault", "database-refuses")).status).toBe(0);
    const ran = await cli.run("up", "--json");
    expect(ran.status).toBe(1);
    expect(endedSteps(ran, "Job")).toMatchObject([{ status: "failed" }]);
    expect(endedSteps(ran, "Deployment")).toEqual([]);
    expect((await cli.run("query", "SELECT 1")).stderr).toMatch(/does not answer on 127\.0\.0\.1:\d+/);
  });

  test("none: an up that waits for the instance finishes the release with a fresh snapshot", async () => {
    expect((await cli.run("fault", "instance-unavailable")).status).toBe(0);
    cli.set("backup.timeout", "2m");
    cli.set("release.attempt", "2");
    const up = cli.start("up", "--json");
    const ending = cli.finish(up);
    await new Promise<void>((waits) => {
      up.stdout!.on("data", (chunk: string) => chunk.includes("RDS takes no snapshot of notes-db now") && waits());
      up.once("close", () => waits());
    });
    expect((await cli.run("fault", "none", "--json")).events).toEqual([{ faults: [] }]);
    const ran = await ending;
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    expect(ran.stdout).toContain("retrying create due to on-error hook request (1/100)");
    const { url } = await cli.outputs();
    expect((await getJson(url as string, "/health")).body).toMatchObject({ status: "ok", version: "1.0.0" });
    expect((await cli.run("query", "SELECT count(*)::int AS n FROM _prisma_migrations", "--json")).events).toEqual([
      { n: 2 },
    ]);
  });
});
