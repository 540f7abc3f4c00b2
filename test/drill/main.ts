import { parseArgs } from "node:util";
import { binariesOf } from "../../embedded/majors";
import { counted } from "../../text/counted";
import { type Played, play } from "./play";
import { table } from "./print";
import type { Scenario } from "./scenario";
import { SCENARIOS } from "./scenarios";
import { PG_DUMP, type StackKind, Stage } from "./stage";

/**
 * `npm run drill [-- --only WORD] [--json]`: provokes every failure of docs/recovery.md on the local cloud, and brings it
 * back to green by the command that its message names.
 * @returns the exit status: 0 if all of them became green
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { only: { type: "string" }, json: { type: "boolean" }, show: { type: "boolean" } },
  });
  const named = SCENARIOS.filter(({ name }) => name.toLowerCase().includes((values.only ?? "").toLowerCase()));
  if (named.length === 0) {
    process.stderr.write(
      `No failure has "${values.only}" in its name:\n${SCENARIOS.map(({ name }) => `  ${name}\n`).join("")}`,
    );
    return 2;
  }
  const skipped = PG_DUMP === undefined ? named.filter(({ stack }) => stack === "dump") : [];
  for (const { name } of skipped) console.log(`${name}: skipped, because there is no pg_dump on PATH`);
  const chosen = named.filter((each) => !skipped.includes(each));
  const played: Played[] = [];
  for (const kind of new Set(chosen.map(({ stack = "snapshot" }) => stack)))
    played.push(
      ...(await playOn(
        kind,
        chosen.filter(({ stack = "snapshot" }) => stack === kind),
        values,
      )),
    );
  const green = played.filter(({ problem }) => problem === undefined).length;
  if (!values.json) for (const line of table(played)) console.log(line);
  console.log(`${counted(chosen.length, "failure")}, ${green} brought back to green by the command of their message.`);
  return green === chosen.length ? 0 : 1;
}

interface How {
  readonly json?: boolean | undefined;
  readonly show?: boolean | undefined;
}

/** Plays scenarios one after the other on one stack. After one that stayed red the next has a new stack. */
async function playOn(kind: StackKind, scenarios: readonly Scenario[], how: How): Promise<Played[]> {
  const played: Played[] = [];
  let stage: Stage | undefined;
  try {
    for (const scenario of scenarios) {
      stage ??= await prepared(kind);
      const result = await play(scenario, stage);
      played.push(result);
      tell(result, how);
      await stage.reset();
      if (result.problem === undefined && !scenario.moves) continue;
      await stage.end();
      stage = undefined;
    }
  } finally {
    await stage?.end();
  }
  return played;
}

/** Returns a stage with a first release that is complete. */
async function prepared(kind: StackKind): Promise<Stage> {
  // The server of a dump must not be newer than the pg_dump of this machine.
  if (kind === "dump" && PG_DUMP !== undefined) process.env["LOCAL_POSTGRES"] = (await binariesOf(PG_DUMP)).directory;
  else delete process.env["LOCAL_POSTGRES"];
  const stage = new Stage(kind);
  const { status, text } = await stage.up();
  if (status === 0) return stage;
  await stage.end();
  throw new Error(`The first release failed:\n${text}`);
}

function tell(result: Played, { json, show }: How): void {
  const { name, seconds, problem, printed } = result;
  if (json) {
    console.log(JSON.stringify(result));
    return;
  }
  console.log(problem === undefined ? `${name}: green after ${seconds.toFixed(1)} s` : `${name}: RED: ${problem}`);
  if (show || problem !== undefined) for (const each of printed) console.log(each.replace(/^/gm, "  | "));
}

main().then(
  (status) => {
    process.exitCode = status;
  },
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
