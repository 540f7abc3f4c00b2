import { afterAll, describe, expect, test } from "vitest";
import { testsBuildOnEachOther } from "../support/lifecycle";
import { Cli, endedSteps, getJson, ownHistory, processesOf, until } from "./cli";

describe.sequential("two stacks", { timeout: 300_000 }, () => {
  testsBuildOnEachOther();
  const cli = new Cli(1);
  afterAll(() => cli.end(), 60_000);
  const urls = new Map<string, string>();

  test("are released at the same time, each with a database of its own", async () => {
    const [one, two] = await Promise.all([
      cli.run("up", "--json", "--stack", "one"),
      cli.run("up", "--json", "--stack", "two", "--config", "app.image=notes:2.0.0"),
    ]);
    expect(one.status, one.stdout + one.stderr).toBe(0);
    expect(two.status, two.stdout + two.stderr).toBe(0);
    for (const name of ["one", "two"]) urls.set(name, (await cli.outputs(name))["url"] as string);
    expect(urls.get("one")).not.toBe(urls.get("two"));
    expect((await getJson(urls.get("one")!, "/health")).body.version).toBe("1.0.0");
    expect((await getJson(urls.get("two")!, "/health")).body.version).toBe("2.0.0");

    await cli.run("query", "INSERT INTO notes (title) VALUES ('only here')", "--stack", "one");
    expect((await getJson(urls.get("one")!, "/notes")).body.notes).toHaveLength(2);
    expect((await getJson(urls.get("two")!, "/notes")).body.notes).toHaveLength(1);
  });

  test("without a settings file of their own say which they take", async () => {
    const ran = await cli.run("preview", "--stack", "one");
    expect(ran.stdout).toContain("There is no Pulumi.one.yaml; the settings are those of Pulumi.local.yaml.");
    expect(ran.stdout).not.toContain("would be");
  });

  test("run one command at a time each, and do not wait for the other", async () => {
    cli.addMigration(ownHistory()[1]!);
    // The first command waits for its snapshot until the fault is taken away, so it surely runs while the others come.
    await cli.run("fault", "snapshot-stays-creating", "--stack", "one");
    const child = cli.start("up", "--json", "--stack", "one");
    const first = cli.finish(child);
    let begun = false;
    child.stdout!.on("data", (text: string) => {
      begun ||= text.includes(":Snapshot");
    });
    await until(() => begun, "the first command is at its snapshot", 60_000);

    const second = await cli.run("up", "--stack", "one");
    expect(second.status).toBe(1);
    expect(second.stderr).toContain("Stack one is being changed by another command");
    expect(second.stderr).not.toContain("    at ");
    expect((await cli.run("down", "--stack", "one")).stderr).toContain("up is running");
    const other = await cli.run("up", "--stack", "two", "--config", "app.image=notes:2.0.0");
    expect(other.status, other.stdout).toBe(0);

    await cli.run("fault", "none", "--stack", "one");
    const { status, stdout } = await first;
    expect(status, stdout).toBe(0);
  });

  test("go down alone", async () => {
    expect((await cli.run("down", "--stack", "one")).status).toBe(0);
    await expect(fetch(urls.get("one")!)).rejects.toThrow();
    expect((await getJson(urls.get("two")!, "/health")).body.version).toBe("2.0.0");
    expect((await cli.run("down", "--stack", "two")).status).toBe(0);
    expect(processesOf(cli.stateDir)).toEqual([]);
  });

  test("can be read by a stack of another program, also when they are down", async () => {
    const consumer = ["--cwd", "examples/consumer", "--config", "producer=organization/release/one"];
    const ran = await cli.run("up", "--json", ...consumer);
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    expect(endedSteps(ran)).toMatchObject([{ name: "notes-endpoint", op: "create", status: "succeeded" }]);
    expect((await cli.run("outputs", "notesUrl", ...consumer)).stdout.trim()).toBe(urls.get("one"));
    const missing = await cli.run("up", ...consumer.slice(0, 3), "producer=organization/release/three");
    expect(missing.status).toBe(1);
    expect(missing.stdout).toContain("three");
    expect((await cli.run("down", ...consumer)).status).toBe(0);
    expect(processesOf(cli.stateDir)).toEqual([]);
  });
});
