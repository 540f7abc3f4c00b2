import type { Migration } from "../../migrations/history/history";
import { commandLine } from "../../text/command-line";
import { counted } from "../../text/counted";
import { formatDuration } from "../../text/short-duration";
import { preflight } from "../checks/preflight";
import { verify } from "../checks/verify";
import { Session } from "../db/connection";
import { noticeLostClient, sessionSettings } from "../db/session-settings";
import { translateError } from "../db/translate-error";
import { describeTarget } from "../db/url";
import { Watcher } from "../db/watcher";
import { type Commands, NEW_VERSION_SERVES, OLD_VERSION_SERVES } from "../failures/failure";
import { OwnWorkRefused } from "../failures/statement";
import { Log } from "../log";
import { Measurer } from "../measure/measurer";
import { nextCommand } from "../next-command";
import { Plans } from "../plans";
import { HistoryTable } from "../records/history-table";
import { refuseForeignRecords } from "../records/record-tables";
import { Records } from "../records/records";
import type { Run } from "../run";
import type { Settings, Verb } from "../settings";
import { adopt } from "../verbs/adopt";
import { baseline } from "../verbs/baseline";
import { writeBaseline } from "../verbs/baseline-write";
import { compare } from "../verbs/compare";
import { beforeRollout, soak } from "../verbs/contract";
import { deploy } from "../verbs/deploy";
import { drift } from "../verbs/drift";
import { runHotfix } from "../verbs/hotfix";
import { resolveMigration } from "../verbs/resolve";
import { restored } from "../verbs/restored";
import { runCommand } from "../verbs/run-command";
import { runSql } from "../verbs/sql";
import { status } from "../verbs/status";
import { written } from "../verbs/written";
import { readExpected } from "./expected";
import { helpText } from "./help";
import { readSettings } from "./read-settings";
import { readTarget } from "./read-target";
import { reportFailure } from "./report-failure";
import { revertConnected, runRevert } from "./run-revert";
import { runWait } from "./run-wait";
import { keepHeapSmall } from "./small-heap";
import { readMigrations, readSqlFile } from "./source";
import { stopSignal } from "./stop";

const VERB: Record<Exclude<Verb, "wait">, (run: Run, migrations: readonly Migration[]) => Promise<number>> = {
  status,
  deploy: async (run, migrations) => {
    if (run.settings.afterRollout) await soak(run, migrations);
    await deploy(run, run.settings.holdContract ? await beforeRollout(run, migrations) : migrations);
    return 0;
  },
  run: async (run, migrations) => {
    await runCommand(run, migrations);
    return 0;
  },
  preflight: async (run, migrations) => {
    await preflight(run, migrations);
    return 0;
  },
  verify: async (run, migrations) => {
    await verify(run, migrations);
    return 0;
  },
  compare: async (run) => {
    await compare(run);
    return 0;
  },
  resolve: async (run, migrations) => {
    await resolveMigration(run, migrations, { ...run.settings.resolution!, force: run.settings.force });
    return 0;
  },
  drift,
  adopt,
  sql: async (run, migrations) => {
    const { hotfix, ...place } = run.settings.sqlFile!;
    const file = readSqlFile(place);
    await (hotfix === undefined ? runSql(run, migrations, file) : runHotfix(run, migrations, file, hotfix));
    return 0;
  },
  revert: revertConnected,
  restored: async (run, migrations) => {
    await restored(run, migrations, readExpected(run.settings.expected));
    return 0;
  },
  written: async (run) => {
    await written(run, readExpected(run.settings.expected).base);
    return 0;
  },
  baseline: async (run, migrations) => {
    const { title, through, force } = run.settings;
    if (title !== undefined) return writeBaseline(run, migrations);
    await baseline(run, migrations, { through: through!, force });
    return 0;
  },
};

async function main(args: readonly string[]): Promise<number> {
  // The arguments after `--` are another program's command line.
  const own = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  if (args.length === 0 || args[0] === "help" || own.includes("--help")) {
    process.stdout.write(helpText());
    return args.length === 0 ? 2 : 0;
  }
  let log = new Log(own.includes("--json") ? "json" : "text");
  let commands: Commands = {
    rerun: "the same command again",
    app: OLD_VERSION_SERVES,
    migrator: (verb) => `${commandLine("migrator")} ${verb}`,
  };
  try {
    const settings = readSettings(args, process.env);
    commands = {
      rerun: settings.rerun,
      app: settings.afterRollout ? NEW_VERSION_SERVES : OLD_VERSION_SERVES,
      migrator: (verb) => nextCommand(verb, settings),
    };
    log = new Log(settings.json ? "json" : settings.drift.format === "sql" ? "sql" : "text");
    const { verb } = settings;
    if (verb === "wait") return await runWait(settings, log);
    if (verb === "revert") return await runRevert(settings, log, () => runVerb(verb, settings, log));
    return await runVerb(verb, settings, log);
  } catch (error) {
    return reportFailure(error, log, commands);
  }
}

async function runVerb(verb: Exclude<Verb, "wait">, settings: Settings, log: Log): Promise<number> {
  const target = readTarget(settings, log);
  const begins = verb === "baseline" && settings.title !== undefined;
  const migrations = readMigrations(settings.source, begins);
  keepHeapSmall(migrations);
  let notices = 0;
  const session = await Session.open(target, {
    applicationName: "release-migrator",
    connectWait: settings.connectWait,
    onWait: (reason) =>
      log.event(
        "connect.waiting",
        `No connection yet (${reason}); trying again for ${formatDuration(settings.connectWait)}.`,
        { reason },
      ),
    showValues: settings.showValues,
    onNotice: (severity, message) => {
      notices++;
      if (settings.showValues) log.event("notice", `  ${severity}: ${message}`, { severity });
    },
  });
  const watcher = new Watcher(target, session.pid, log);
  const measure = settings.measure ? new Measurer(session) : undefined;
  const stop = stopSignal(session);
  try {
    log.event("connected", `Connected to ${describeTarget(target)}, schema "${target.schema}".`, { pid: session.pid });
    await session.run(sessionSettings(settings));
    await noticeLostClient(session);
    const records = new Records(session, target.schema, settings.releaseId);
    const run = {
      session,
      table: new HistoryTable(target.schema),
      records,
      settings,
      log,
      watcher,
      plans: new Plans(),
      signal: stop.signal,
      ...(measure && { measure }),
    };
    await refuseForeignRecords(session, run.table, verb === "drift");
    return await VERB[verb](run, migrations);
  } catch (error) {
    throw translateError(
      error,
      { session, signal: stop.signal },
      {
        afterStop: "nothing was left half done.",
        afterLoss: "what was not committed is rolled back by the server; the next run sees what is.",
        refused: (refusal) => new OwnWorkRefused(refusal),
      },
    );
  } finally {
    if (notices > 0 && !settings.showValues)
      log.event(
        "notices",
        `The server sent ${counted(notices, "notice")}, not shown because they may hold values of rows (--show-values shows them).`,
        { notices },
      );
    stop.release();
    await Promise.all([session.close(), watcher.close(), measure?.close()]);
  }
}

void main(process.argv.slice(2)).then((exit) => {
  process.exit(exit);
});
