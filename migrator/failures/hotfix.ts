import { Failure, UNTOUCHED } from "./failure";

/** A hotfix contains what the migrator refuses in migrations. */
export class HotfixRefused extends Failure {
  override readonly code = "hotfix-refused";
  override readonly exit = 4;

  /** @param reasons every reason, as lines */
  constructor(file: string, reasons: readonly string[]) {
    super({
      what: `${file} can't be a hotfix, because a migration of the history can't be like that.`,
      detail: reasons,
      database: UNTOUCHED,
      next: `correct ${file}, then: {rerun}`,
    });
  }
}

/** The name of a hotfix belongs to a migration with another text. */
export class HotfixNameTaken extends Failure {
  override readonly code = "hotfix-name-taken";
  override readonly exit = 4;

  /** @param where where the migration is, as in `the folder has it` */
  constructor(title: string, taken: string, where: string) {
    super({
      what: `The name ${title} belongs to ${taken}, whose text is another one: ${where}.`,
      database: UNTOUCHED,
      next: "give the hotfix another --hotfix NAME; or, if it is the same hotfix, restore its file as it was run, then: {rerun}",
    });
  }
}

/** A hotfix is applied and recorded, but its folder can't be written. */
export class HotfixNotWritten extends Failure {
  override readonly code = "hotfix-not-written";
  override readonly exit = 2;

  constructor(name: string, path: string, reason: string) {
    super({
      what: `${path} can't be written: ${reason}.`,
      database: `${name} is applied and recorded; nothing of it has to run again.`,
      next: "see to the folder, then: {rerun} (it only writes the folder)",
    });
  }
}

/** A pending hotfix is there in part, or whether it was run can't be told. */
export class HotfixUndecided extends Failure {
  override readonly code = "hotfix-undecided";
  override readonly exit = 4;

  /** @param hotfixes each with what is there of it, statement by statement, and the next command */
  constructor(hotfixes: readonly { what: string; evidence: readonly string[]; next: string }[]) {
    const [first] = hotfixes;
    const only = hotfixes.length === 1 ? first : undefined;
    super({
      what: only?.what ?? `${hotfixes.length} hotfixes are there in part, or it can't be told whether they were run.`,
      detail:
        only?.evidence ??
        hotfixes.flatMap(({ what, evidence, next }) => [`- ${what}`, ...evidence, `    Next: ${next}`]),
      database: `${UNTOUCHED} No migration of this release was run.`,
      next: only ? `${only.next}; then: {rerun}` : "see to each of them as its line says, then: {rerun}",
    });
  }
}
