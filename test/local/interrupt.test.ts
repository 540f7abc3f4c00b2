import { afterAll, describe, expect, test } from "vitest";
import { testsBuildOnEachOther } from "../support/lifecycle";
import { Cli, endedSteps, getJson, processesOf, until } from "./cli";

describe.sequential("Ctrl-C", { timeout: 300_000 }, () => {
  testsBuildOnEachOther();
  const cli = new Cli(1);
  afterAll(() => cli.end(), 60_000);

  /** An `up` that waits for a snapshot which never becomes available. */
  async function waitingUp() {
    await cli.run("fault", "snapshot-stays-creating");
    const child = cli.start("up", "--json");
    const finished = cli.finish(child);
    let begun = false;
    child.stdout!.on("data", (text: string) => {
      begun ||= text.includes(":Snapshot");
    });
    await until(() => begun, "up is at its snapshot", 90_000);
    return { child, finished };
  }

  test("once starts nothing new, says so, and ends with 130; the same command goes on", async () => {
    const { child, finished } = await waitingUp();
    child.kill("SIGINT");
    const ran = await finished;
    expect(ran.status, ran.stderr).toBe(130);
    expect(ran.stderr).toContain("Stopping: nothing new is started, what runs is finished.");
    expect(ran.events.at(-1)).toMatchObject({ kind: "summary", verb: "up", status: "interrupted" });
    expect(ran.steps.filter(({ name }) => name.startsWith("notes-migrate-"))).toEqual([]);
    expect((await cli.run("status")).stdout).toMatch(/next +npm run local -- up/);

    await cli.run("fault", "none");
    const again = await cli.run("up", "--json");
    expect(again.status, again.stdout + again.stderr).toBe(0);
    expect(endedSteps(again, "Deployment")).toMatchObject([{ status: "succeeded" }]);
    expect((await getJson(String((await cli.outputs())["url"]), "/health")).body.status).toBe("ok");
  });

  test("is not what a reader that goes away means: the release is finished all the same", async () => {
    const child = cli.start("up", "--json", "--config", "app.image=notes:1.5.0");
    const ended = new Promise((exited) => child.once("exit", exited));
    child.stdout!.once("data", () => child.stdout!.destroy());
    expect(await ended).toBe(0);
    expect((await getJson(String((await cli.outputs())["url"]), "/health")).body.version).toBe("1.5.0");
  });

  test("twice leaves at once, whatever still runs; one key press that arrives twice counts once", async () => {
    cli.addMigration("20270101000000_more", "CREATE TABLE more (id int);\n");
    const { child, finished } = await waitingUp();
    // As npm passes it on: the terminal has already sent it.
    child.kill("SIGINT");
    child.kill("SIGINT");
    const second = setTimeout(() => child.kill("SIGINT"), 400);
    const ran = await finished.finally(() => clearTimeout(second));
    expect(ran.status, ran.stderr).toBe(130);
    expect(ran.stderr.match(/Stopping: /g)).toHaveLength(1);

    await cli.run("fault", "none");
    const again = await cli.run("up", "--json");
    expect(again.status, again.stdout + again.stderr).toBe(0);
    expect((await cli.run("query", "SELECT count(*)::int AS n FROM more", "--json")).events).toEqual([{ n: 0 }]);
    expect((await cli.run("down")).status).toBe(0);
    expect(processesOf(cli.stateDir)).toEqual([]);
  });
});
