import { Failure, otherVerb, UNTOUCHED } from "./failure";

/** The app image's own command failed, and left nothing half done. */
export class CommandFailed extends Failure {
  override readonly code = "command-failed";
  override readonly exit = 5;

  constructor(command: string, problem: string, lines: readonly string[], database: string) {
    super({
      what: `The command "${command}" failed: ${problem}.`,
      detail: lines.map((line) => `  ${line}`),
      database,
      next: "see its own words above and correct what they name, then: {rerun}",
    });
  }
}

/**
 * The command ended half-way through a migration. The migration's row in the history is unfinished, and blocks every
 * later run.
 */
export class LeftUnfinished extends Failure {
  override readonly code = "left-unfinished";
  override readonly exit = 5;

  /**
   * @param who the beginning of the sentence, such as `The command "…"`
   * @param applied how much of the migration is applied, according to the catalog
   */
  constructor(
    migration: string,
    who: string,
    evidence: readonly string[],
    applied: "all" | "part" | "none" | "unknown",
  ) {
    const resolve = (how: string) => otherVerb(`resolve --${how} ${migration}`);
    const next = {
      none: `${resolve("rolled-back")}; correct what made it fail, then: {rerun}`,
      all: `${resolve("applied")}, then: {rerun}`,
      part: `take back by hand what is applied, then ${resolve("rolled-back")}; correct what made it fail, then: {rerun}`,
      unknown: `look in the database at what can't be told; if nothing of it is done: ${resolve("rolled-back")}, then: {rerun}`,
    };
    const state = { none: "nothing of it is applied", all: "all of it is applied", part: "some of it is applied" };
    super({
      what: `${who} left migration ${migration} unfinished.`,
      detail: evidence,
      database: `${applied === "unknown" ? "how much of it is applied can't be told" : state[applied]}; its row in _prisma_migrations stays unfinished, and blocks every later run. Migrations before it are applied.`,
      next: next[applied],
    });
  }
}

/** The command applied migrations that the release's folder does not have. */
export class CommandWentFurther extends Failure {
  override readonly code = "command-went-further";
  override readonly exit = 9;

  constructor(names: readonly string[]) {
    super({
      what: `The command applied ${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}, which the release's migrations folder does not have: nobody reviewed it.`,
      database: "all of it is applied and stays; the new version of the app is not rolled out.",
      next: "release from the sources that the app image was built of (migrations.directory), then: {rerun}",
    });
  }
}

/**
 * A contract migration is pending, but the app image's own command ignores `-- release: contract`: it would take away
 * what the version that serves still uses.
 */
export class CommandCantHold extends Failure {
  override readonly code = "command-cant-hold";
  override readonly exit = 4;

  constructor(migration: string) {
    super({
      what: `${migration} waits for the rollout (release: contract), and the app image's own command would apply it before.`,
      database: UNTOUCHED,
      next: "release without it first, and with it (its mark taken away) in the release after it; or set migrations.runner to migrator, then: {rerun}",
    });
  }
}
