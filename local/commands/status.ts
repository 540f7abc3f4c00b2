import { counted } from "../../text/counted";
import { listInstances, listSnapshots } from "../cloud/aws/records";
import { running } from "../cloud/client";
import { readDefect } from "../cloud/defect";
import { readOutputs } from "../engines";
import { readFaults } from "../faults";
import { readLastRun, stateOf } from "../last-run";
import { kindOf } from "../progress-text";
import { schemaOf, workloads } from "./live";
import { ago, columns } from "./output";
import { type Call, goingOn, typed, type Verb } from "./verb";

export const status: Verb = {
  name: "status",
  summary: "what runs: app, schema, database, snapshots, how the last command went, the next one",
  use: "reads",
  async run(call: Call): Promise<number> {
    const found = await gather(call);
    if (call.output.json) call.output.event(found);
    else for (const line of describe(call, found)) call.output.line(line);
    return 0;
  },
};

async function gather(call: Call) {
  const { stack, stackDir, cloudDir } = call;
  const unreadable = new Set<string>();
  const note = (error: Error) => void unreadable.add(error.message);
  const attempt = async <T>(read: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      note(error as Error);
      return undefined;
    }
  };
  const [outputs = {}, schema, databases, snapshots, cloud] = await Promise.all([
    attempt(() => readOutputs(stack)),
    attempt(() => schemaOf(call)),
    listInstances(cloudDir, note),
    listSnapshots(cloudDir, note),
    running(cloudDir),
  ]);
  const lastRun = await attempt(() => readLastRun(stackDir));
  return {
    stack: `${stack.project}/${stack.name}`,
    cloud: cloud ? "running" : "stopped",
    defect: cloud ? undefined : readDefect(cloudDir),
    url: typeof outputs["url"] === "string" ? outputs["url"] : undefined,
    // While the cloud is stopped its files contain the pods' last status, so the pods are shown as not ready.
    apps: workloads(cloudDir, note).map((workload) => (cloud ? workload : { ...workload, ready: 0, serving: [] })),
    schema,
    databases: databases.map(({ identifier, kind, status, host, port, database, restoredFrom }) => ({
      identifier,
      kind,
      status,
      address: `${host}:${port}/${database}`,
      restoredFrom,
    })),
    snapshots: snapshots.map(({ identifier, status, createTime, source }) => ({
      identifier,
      status,
      createTime,
      source,
    })),
    faults: (await attempt(() => readFaults(cloudDir))) ?? [],
    unreadable: [...unreadable],
    lastRun: lastRun && {
      verb: lastRun.verb,
      state: stateOf(lastRun),
      startedAt: lastRun.startedAt,
      endedAt: lastRun.endedAt,
      failed: lastRun.failed,
      errors: lastRun.errors,
    },
    next: nextOf(goingOn(call, lastRun), lastRun && { verb: lastRun.verb, state: stateOf(lastRun) }, cloud),
  };
}

type Found = Awaited<ReturnType<typeof gather>>;

function nextOf(call: Call, last: { verb: string; state: string } | undefined, cloud: boolean): string {
  if (last === undefined) return typed(call, "up");
  if (last.state === "running") return typed(call, "status");
  if (last.state !== "succeeded") return typed(call, last.verb);
  if (last.verb === "destroy") return typed(call, cloud ? "down" : "up");
  return cloud ? typed(call, "logs", "app") : typed(call, "up");
}

type Row = (what: string, value: string, more?: string) => void;

function describe(call: Call, found: Found): string[] {
  const { style } = call.output;
  const rows: string[][] = [];
  const row: Row = (what, value, more = "") =>
    rows.push([style("cyan", what), more === "" ? value : `${value}  ${style("dim", more)}`]);

  describeApp(call, found, row);
  describeDatabase(found, row);
  if (found.defect !== undefined) row("cloud", style("red", found.defect));
  else if (found.cloud === "stopped") row("cloud", "stopped; nothing of this stack runs");
  if (found.faults.length > 0)
    row("faults", style("yellow", found.faults.join(", ")), `to end them: ${typed(call, "fault", "none")}`);
  for (const text of found.unreadable) for (const line of text.split("\n")) row("unreadable", style("red", line));
  describeLastRun(call, found, row);
  row("next", found.next);
  return [style("bold", `Stack ${found.stack}`), ...columns(rows).map((line) => `  ${line}`)];
}

function describeApp({ output: { style } }: Call, found: Found, row: Row): void {
  for (const { name, image, serving, ready, wanted } of found.apps) {
    const pods = `${ready} of ${wanted} pods ready`;
    // After a failed rollout the ready pods are those of the older image, so that image is shown.
    const rolling = serving.length > 0 && !serving.includes(image);
    row(name, rolling ? serving.join(", ") : image, rolling ? `${pods}; ${image} is not ready` : pods);
  }
  if (found.apps.length === 0) row("app", "none is deployed");
  if (found.url !== undefined) row("url", found.url);
  if (found.schema) {
    const { version, applied, failed } = found.schema;
    row("schema", version ?? "no migration is applied", applied > 0 ? counted(applied, "migration") : "");
    for (const name of failed) row("", style("red", name), "began and did not end");
  }
}

function describeDatabase(found: Found, row: Row): void {
  for (const { identifier, kind, status, address, restoredFrom } of found.databases) {
    row(
      kind === "cluster" ? "cluster" : "database",
      `${identifier}, ${status}`,
      restoredFrom ? `${address}, from ${restoredFrom}` : address,
    );
  }
  const newest = found.snapshots.at(-1);
  row(
    "snapshots",
    newest ? `${found.snapshots.length}, the newest ${newest.identifier}` : "none",
    newest ? `${newest.status}, ${ago(newest.createTime)}` : "",
  );
}

function describeLastRun({ output: { style } }: Call, { lastRun: last }: Found, row: Row): void {
  if (!last) return;
  const words = { running: "is running", killed: "was killed", succeeded: "succeeded", failed: "failed" }[last.state];
  const color = { running: "cyan", killed: "yellow", succeeded: "green", failed: "red" } as const;
  row("last", style(color[last.state], `${last.verb} ${words}`), ago(last.endedAt ?? last.startedAt));
  for (const step of last.failed) row("", `${step.op} of ${kindOf(step.type)} ${step.name}`, reason(step.error));
  for (const error of last.errors) row("", reason(error));
}

/** The line of the text that contains the cause: the first with FAILED or ERROR, otherwise the first line. */
function reason(text: string): string {
  const lines = text.trim().split("\n");
  const line = (lines.find((each) => /^\s*(FAILED|ERROR)\b/.test(each)) ?? lines[0] ?? "").trim();
  return line.length > REASON_LENGTH ? `${line.slice(0, REASON_LENGTH - 1)}…` : line;
}

const REASON_LENGTH = 140;
