import type { StepEvent } from "../../../local/engine/events";
import { isPreflight } from "../order";

/** What the releases of the stories come to. The commands note when the snapshot is done, read the tables' sizes and write the report. */
export const FIRST_RELEASE = [
  "3 create Command",
  "2 create ConfigMap",
  "2 create Job",
  "create Deployment",
  "create PodDisruptionBudget",
  "create Service",
  "create Snapshot",
];

export const GOOD_MIGRATION = [
  "3 create Command",
  "2 create Job",
  "3 delete Command",
  "2 delete Job",
  "create ConfigMap",
  "create Snapshot",
  "delete ConfigMap",
  "delete Snapshot (retained)",
  "update Deployment",
];

export const IMAGE_ONLY = ["2 create Command", "2 create Job", "2 delete Command", "2 delete Job", "update Deployment"];

/** The same for a database whose snapshots are of another type. */
export const withoutSnapshot = (steps: string[]): string[] => steps.filter((step) => !/ Snapshot\b/.test(step));

export const FAILING_MIGRATION = [
  "create Command",
  "create ConfigMap",
  "create Job",
  "create Job (failed)",
  "create Snapshot",
];

export const started =
  (kind: string) =>
  ({ type, status }: StepEvent): boolean =>
    status === "started" && type.endsWith(`:${kind}`);

export const migrationStarted = (event: StepEvent): boolean => started("Job")(event) && !isPreflight(event);

/** Long enough to be interrupted, and over before anybody gets impatient. */
export const SLOW = 'SELECT pg_sleep(8);\nALTER TABLE "notes" ADD COLUMN "slow" TEXT;\n';
export const GOOD = 'ALTER TABLE "notes" ADD COLUMN "colour" TEXT;\n';
export const BROKEN = 'ALTER TABLE "notes" ADD COLUMN "half" TEXT;\nSELECT no_such_column FROM "notes";\n';
/** What only the old version needed. */
export const CONTRACT = '-- release: contract\nALTER TABLE "notes" DROP COLUMN "colour";\n';
