import { expect, test } from "vitest";
import { RULES } from "../../migrator/checks/drift/rules";
import { DRIFT_KINDS } from "../../settings/drift-objects";
import { parseSettings } from "../../settings/parse";

function parsed(drift: object, workloads: object[] = []) {
  return parseSettings({
    app: { name: "notes", image: "notes:1" },
    database: { identifier: "notes-db", secret: { name: "notes-database" } },
    migrations: { directory: "migrations" },
    drift,
    workloads,
  });
}

test("every mistake in drift is named at once, with the key and what is allowed", () => {
  const { problems } = parsed({
    schedule: "every day",
    ignore: [
      { object: "indx public.a", reason: "a typing error" },
      { object: "index public.a=b", reason: "an equals sign" },
      { object: "index public.a", reason: " " },
      { object: "comment" },
    ],
    secret: {},
    deadline: "5s",
  });
  const text = problems.join("\n");
  for (const message of [
    'drift.schedule is "every day"; it must be a cron schedule such as "0 3 * * *"',
    'drift.ignore.0.object is "indx public.a"; it must be a kind of object such as comment, or an object',
    "drift.ignore.1.object",
    'drift.ignore.2.reason is " "; it must be a reason, as a text',
    "drift.ignore.3.reason is missing; it must be a reason, as a text",
    "drift.secret.name is missing",
    'drift.deadline is "5s"; it must be a duration',
  ])
    expect(text).toContain(message);
});

test("a workload can't have the name of the CronJob", () => {
  const worker = [{ kind: "worker", name: "drift" }];
  expect(parsed({ schedule: "@daily" }, worker).problems.join()).toContain(
    'workloads.0.name is "drift"; it must be another name, because drift.schedule makes a CronJob of this name',
  );
  expect(parsed({}, worker).problems).toEqual([]);
});

test("patterns know the kinds of objects that are compared", () => {
  expect([...DRIFT_KINDS].sort()).toEqual([...Object.keys(RULES)].sort());
});
