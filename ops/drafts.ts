import { relative } from "node:path";
import { CommandFailure, EXIT } from "../by-hand/failure";
import type { JobByHand } from "../by-hand/job-by-hand";
import { eventOf } from "../by-hand/job-event";
import type { Output } from "../by-hand/run-job";
import { commandByHand } from "../by-hand/typed-command";
import { type Migration, readHistorySync } from "../migrations/history/history";
import { loadParser } from "../migrations/sql/parse";
import { Unwritable } from "../migrator/failures/revert";
import { adoptedLines, DRAFTS, type Drafted, tellSchema, writeDrafts } from "../migrator/verbs/drafts";
import { shellWord } from "../text/shell-word";

/** The exit statuses with which the Job ends when it has made migrations, or found that none are needed. */
const MADE: readonly number[] = [0, 10];

/**
 * Runs the Job of `adopt` or `baseline --write`, whose log is JSON, and writes the migrations that it made into the
 * checkout.
 * @param json whether the log is passed on as JSON; otherwise as text
 * @param work runs the Job, and returns its exit status
 * @throws CommandFailure if a folder can't be written, or the end of the log is missing
 */
export async function runDrafting(
  { run, json }: { run: JobByHand; json: boolean },
  output: Output,
  work: (output: Output) => Promise<number>,
): Promise<number> {
  let drafts: readonly Drafted[] | undefined;
  const log = (line: string) => {
    const { event, message, migrations } = eventOf(line) ?? {};
    if (event === DRAFTS) drafts = draftsIn(migrations);
    if (event === "adopt.nothing") drafts = [];
    for (const each of json || typeof message !== "string" ? [line] : message.split("\n")) output.log(each);
  };
  const status = await work({ ...output, log });
  if (!MADE.includes(status)) return status;
  if (drafts === undefined)
    throw new CommandFailure(
      EXIT.cluster,
      "The log of the Job was cut off before it gave the SQL, so no migration is written.",
      "nothing was changed.",
      run.rerun,
    );
  if (drafts.length > 0) await writeInCheckout(run, drafts, output);
  return status;
}

/** Reads the migrations of an event. */
function draftsIn(migrations: unknown): Drafted[] {
  return (Array.isArray(migrations) ? migrations : []).flatMap((each: Partial<Drafted> | null) =>
    typeof each?.title === "string" && typeof each.sql === "string" ? { title: each.title, sql: each.sql } : [],
  );
}

async function writeInCheckout({ stack, verb, rerun }: JobByHand, drafts: readonly Drafted[], output: Output) {
  const directory = relative(process.cwd(), stack.directory);
  const log = { event: (_: string, message: string | readonly string[]) => [message].flat().forEach(output.say) };
  try {
    const migrations = readHistorySync(directory);
    const written = writeDrafts(directory, migrations, drafts, log);
    const { schema } = stack.settings.review;
    if (verb === "adopt" && schema !== false) {
      await loadParser();
      await tellSchema(directory, migrations, written, log, schema);
    }
    const next = verb === "adopt" ? adoptedLines(directory, written) : recordLines(stack.name, written);
    for (const line of next) output.say(line);
  } catch (error) {
    if (!(error instanceof Unwritable)) throw error;
    const database = "nothing was changed; what is told above as written is written.";
    throw new CommandFailure(EXIT.failed, error.message, database, `see to the folder, then: ${rerun}`);
  }
}

function recordLines(stack: string, [first]: readonly Migration[]): string[] {
  const record = `${commandByHand("ops")} baseline --through ${first?.name} --stack ${shellWord(stack)}`;
  return [`Nothing is recorded yet.`, `Next: ${record} (then npx prisma db pull, and commit both)`];
}
