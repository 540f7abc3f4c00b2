import { describe, expect, test } from "vitest";
import { CommandFailure } from "../../by-hand/failure";
import { helpText, readCommand } from "../../ops/options";
import { OPS_VERBS } from "../../ops/verbs";

const STACKS = ["local", "prod"];

function mistakes(...args: string[]): string {
  try {
    readCommand(args, STACKS);
  } catch (error) {
    if (error instanceof CommandFailure && error.exit === 2) return error.message;
    throw error;
  }
  throw new Error("nothing is wrong with it");
}

describe("the command line of ops", () => {
  test("has the verb, the stack, and what the verb takes", () => {
    expect(
      readCommand(["sql", "fix.sql", "--stack", "prod", "--acknowledge", "{}", "--acknowledge", "[]"], STACKS),
    ).toEqual({
      verb: "sql",
      stack: "prod",
      file: "fix.sql",
      migration: undefined,
      given: { acknowledge: ["{}", "[]"] },
      json: false,
      context: undefined,
      kubeconfig: undefined,
      namespace: undefined,
    });
    expect(
      readCommand(["resolve", "--applied=1_a", "--force", "--stack=prod", "--context", "c", "--json"], STACKS),
    ).toMatchObject({
      given: { applied: "1_a", force: true },
      context: "c",
      json: true,
    });
  });

  test.each([
    [
      [],
      "The verb is missing; allowed: status, resolve, baseline, drift, adopt, compare, verify, sql, revert, rehearse, prune",
    ],
    [["deploy", "--stack", "prod"], 'unknown verb "deploy"; allowed: status, resolve'],
    [["constructor", "--stack", "prod"], 'unknown verb "constructor"'],
    [["status"], "--stack NAME is missing; there are: local, prod"],
    [["status", "--stack", "prdo"], 'unknown stack "prdo"; there are: local, prod'],
    [["status", "--stack"], "--stack needs a value (NAME)"],
    [["status", "--stack", "prod", "--stack", "local"], "--stack is given twice"],
    [["status", "--stack", "prod", "--force"], "unknown option --force of status; allowed: --stack, --context"],
    [["status", "--stack", "prod", "--json=yes"], "--json takes no value"],
    [["status", "now", "--stack", "prod"], '"now" is one word too many'],
    [["sql", "--stack", "prod"], "sql needs the file to run"],
    [["adopt", "--stack", "prod"], "adopt needs --name NAME"],
    [["baseline", "--write", "--stack", "prod"], "baseline needs --through MIGRATION"],
    [["baseline", "--write", "--name", "Init", "--stack", "prod"], '--name is "Init", and must be 1 to 100 of a-z'],
    [
      ["sql", "a.sql", "--hotfix", "Add Index", "--stack", "prod"],
      '--hotfix is "Add Index", and must be 1 to 100 of a-z',
    ],
    [["sql", "a.sql", "b.sql", "--stack", "prod"], '"b.sql" is one word too many'],
    [["revert", "--plan", "--stack", "prod"], "revert needs the migration, such as: revert 20240131120000_add_index"],
    [["revert", "1_a", "--stack", "prod"], "revert needs --plan"],
    [["baseline", "--stack", "prod"], "baseline needs --through MIGRATION"],
    [["resolve", "--stack", "prod"], "resolve needs one of --diagnose, --applied and --rolled-back"],
    [["resolve", "--applied", "a", "--rolled-back", "a", "--stack", "prod"], "resolve needs one of"],
  ] as [string[], string][])("%j is refused with the allowed values", (args, message) => {
    expect(mistakes(...args)).toContain(message);
  });

  test("is refused with all its mistakes at once", () => {
    const message = mistakes("resolve", "now", "--stack", "prdo", "--bogus");
    expect(message.split("\n")).toHaveLength(5);
    for (const part of ["4 mistakes", '"now"', "--bogus", "prdo", "resolve needs one of"])
      expect(message).toContain(part);
  });

  test("says which stacks there are where there are none", () => {
    expect(() => readCommand(["status", "--stack", "prod"], [])).toThrow(
      "there is no Pulumi.STACK.yaml in this folder",
    );
  });

  test("is explained by the help, every verb and option", () => {
    for (const [verb, { options }] of Object.entries(OPS_VERBS))
      for (const word of [verb, ...Object.keys(options)]) expect(helpText()).toContain(word);
  });
});
