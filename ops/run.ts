import { randomBytes } from "node:crypto";
import type { JobByHand, MigratorProgram } from "../by-hand/job-by-hand";
import type { CommandStack } from "../by-hand/stack";
import { commandByHand } from "../by-hand/typed-command";
import { literal } from "../components/literal";
import { ignoreArguments, reviewArguments } from "../components/migrator-arguments";
import type { Migration } from "../migrations/history/history";
import { MIGRATOR_FOLDER } from "../settings/pod/migration-pod";
import { commandLine } from "../text/command-line";
import { shellWord } from "../text/shell-word";
import type { OpsCommand } from "./options";

const SQL_KEY = "statement.sql";

/**
 * Returns the run of the migrator that a command line asks for.
 * @param file the file of `sql`
 */
export function opsRun(
  command: OpsCommand,
  stack: CommandStack,
  program: MigratorProgram,
  file: Migration | undefined,
): JobByHand {
  const { verb, json } = command;
  return {
    ...{ stack, verb, program },
    // The name of a hotfix's migration, and the SQL of a new one, are read from events.
    json: json || command.given["hotfix"] !== undefined || command.given["name"] !== undefined,
    name: `${stack.settings.app.name}-ops-${verb}-${randomBytes(3).toString("hex")}`,
    arguments: migratorArguments(command, stack, file),
    rerun: typedCommand(command),
    text: file && { suffix: "sql", file: SQL_KEY, text: file.sql },
  };
}

/** Returns the command as it was typed, for the messages of the Job. */
function typedCommand({ verb, stack, given, file, migration }: OpsCommand): string {
  const options = Object.entries(given).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [value].flat().flatMap((each) => [`--${name}`, shellWord(each)]),
  );
  const words = [verb, ...[file ?? migration ?? []].flat().map(shellWord), ...options, "--stack", shellWord(stack)];
  return `${commandByHand("ops")} ${words.join(" ")}`;
}

function migratorArguments(command: OpsCommand, stack: CommandStack, file: Migration | undefined): string[] {
  const { verb, given, migration } = command;
  const own = Object.entries(given).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [value].flat().flatMap((each) => [`--${name}`, literal(each)]),
  );
  return [
    ...(file === undefined ? [] : [`${MIGRATOR_FOLDER}/${SQL_KEY}`, "--file-name", literal(file.name)]),
    ...(migration === undefined ? [] : [literal(migration)]),
    ...(verb === "sql" || verb === "revert" ? reviewArguments(stack.settings.review) : []),
    ...(verb === "drift" || verb === "adopt" ? ignoreArguments(stack.settings.drift) : []),
    ...(migration === undefined ? [] : revertArguments(migration, stack)),
    ...own,
  ];
}

/** The arguments by which `revert` knows who migrates, and what writes the new migration in the checkout. */
function revertArguments(migration: string, { settings: { migrations } }: CommandStack): string[] {
  const runner = migrations.runner === "command" ? ["--runner", "command"] : [];
  const words = [migration, "--write", "--migrations", migrations.directory, ...runner].map(shellWord);
  return [
    "--runner",
    migrations.runner,
    "--write-command",
    literal(`${commandLine("migrator")} revert ${words.join(" ")}`),
  ];
}
