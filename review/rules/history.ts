import type { Migration } from "../../migrations/history/history";
import type { MigrationPlan } from "../../migrations/history/plan";
import type { Finding } from "../finding";

/** A migration that a release has deployed before. */
export interface Applied {
  readonly name: string;
  /** As it was then; left out where it isn't known. */
  readonly checksum?: string;
}

/** Where the folder contradicts what was released. */
export function judgeHistory(
  history: readonly Migration[],
  applied: readonly Applied[],
  pending: readonly MigrationPlan[],
): Finding[] {
  const folder = new Map(history.map((migration) => [migration.name, migration]));
  const findings: Finding[] = [];
  const finding = (
    rule: string,
    migration: string,
    checksum: string,
    what: string,
    who: string,
    severity: Finding["severity"] = "error",
  ) =>
    findings.push({
      id: rule,
      rule,
      classes: ["history"],
      severity,
      migration,
      checksum,
      line: 1,
      what,
      who,
      howLong: "until it is put right",
    });
  for (const { name, checksum } of applied) {
    const now = folder.get(name);
    if (!now)
      finding(
        "missing",
        name,
        checksum ?? "",
        "It was released, but is no longer in the folder.",
        "The migrator refuses to go on; put the folder back from version control.",
      );
    else if (checksum !== undefined && now.checksum !== checksum)
      finding(
        "edited",
        name,
        now.checksum,
        "It was changed after it was released: databases that have it don't get the change.",
        "The migrator refuses to go on; undo the change and write a new migration.",
      );
  }
  const last = applied
    .map(({ name }) => name)
    .reduce((a, b) => (Buffer.compare(Buffer.from(a), Buffer.from(b)) > 0 ? a : b), "");
  for (const { name, checksum } of pending)
    if (last !== "" && Buffer.compare(Buffer.from(name), Buffer.from(last)) < 0)
      finding(
        "out-of-order",
        name,
        checksum,
        `It is older by name than ${last}, which is released: a new database gets them in another order than this one.`,
        "Whoever sets up a new database; rename the folder to a later time.",
        "warning",
      );
  let contract: MigrationPlan | undefined;
  for (const plan of pending) {
    if (plan.contract) contract = plan;
    else if (contract)
      finding(
        "after-contract",
        plan.name,
        plan.checksum,
        `It follows the contract migration ${contract.name}, which runs only after the rollout; it can't run before it.`,
        "The release is refused; move it before that one, or into a later release.",
      );
  }
  return findings;
}

/** The migrations that a release finds deployed, from the name of the last one. */
export function appliedUntil(history: readonly Migration[], last: string): Required<Applied>[] {
  return history
    .filter(({ name }) => Buffer.compare(Buffer.from(name), Buffer.from(last)) <= 0)
    .map(({ name, checksum }) => ({ name, checksum }));
}
