import { join, relative } from "node:path";
import { CommandFailure, EXIT } from "../by-hand/failure";
import type { JobByHand } from "../by-hand/job-by-hand";
import { eventOf } from "../by-hand/job-event";
import type { Output } from "../by-hand/run-job";
import type { Migration } from "../migrations/history/history";
import { hotfixSql, hotfixTitle, writtenLines } from "../migrations/history/hotfix";
import { writeMigrationSync } from "../migrations/history/write-migration";

/**
 * Runs the Job of a hotfix, whose log is JSON, and writes the hotfix into the migrations of the checkout.
 * @param title the name of the hotfix without its time
 * @param json whether the log is passed on as JSON; otherwise as text
 * @param work runs the Job, and returns its exit status
 * @throws CommandFailure if the folder can't be written
 */
export async function runHotfix(
  { run, file, title, json }: { run: JobByHand; file: Migration; title: string; json: boolean },
  output: Output,
  work: (output: Output) => Promise<number>,
): Promise<number> {
  let recorded: string | undefined;
  const log = (line: string) => {
    const { event, message, migration } = eventOf(line) ?? {};
    if (event === "hotfix.recorded" && typeof migration === "string" && hotfixTitle(migration) === title)
      recorded = migration;
    for (const each of json || typeof message !== "string" ? [line] : message.split("\n")) output.log(each);
  };
  const status = await work({ ...output, log });
  if (recorded === undefined && status === 0)
    throw new CommandFailure(
      EXIT.cluster,
      "The log of the Job was cut off before it named the hotfix's migration, so its folder is not written.",
      "the hotfix is applied and recorded; nothing of it has to run again.",
      `${run.rerun} (it only writes the folder)`,
    );
  if (recorded !== undefined) writeFolder(run, recorded, file, output);
  return status;
}

function writeFolder({ stack, rerun }: JobByHand, name: string, { sql }: Migration, output: Output): void {
  const directory = relative(process.cwd(), stack.directory);
  try {
    for (const line of writtenLines(writeMigrationSync(directory, name, hotfixSql(sql)))) output.say(line);
  } catch (error) {
    throw new CommandFailure(
      EXIT.failed,
      `${join(directory, name)} can't be written: ${(error as NodeJS.ErrnoException).code ?? String(error)}.`,
      `${name} is applied and recorded; nothing of it has to run again.`,
      `see to the folder, then: ${rerun} (it only writes the folder)`,
    );
  }
}
