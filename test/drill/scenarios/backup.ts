import type { Scenario } from "../scenario";
import type { Stage } from "../stage";

/** Releases a migration while faults of the local cloud are set. */
const withFault =
  (fault: string, settings: Readonly<Record<string, string>> = {}) =>
  async (stage: Stage): Promise<string> => {
    for (const [key, value] of Object.entries(settings)) stage.set(key, value);
    await stage.cli.run("fault", fault);
    stage.newMigration("CREATE TABLE drill_backup (id int);\nDROP TABLE drill_backup;\n");
    stage.newImage();
    return (await stage.up()).text;
  };

const ended = { what: "ends the fault", do: (stage: Stage) => stage.cli.run("fault", "none") };
const NOTHING_CHANGED = /atabase( and app are as they were|: nothing was changed)/;

/** Backups that can't be made: the migration must not begin. */
export const backups: readonly Scenario[] = [
  {
    name: "The snapshot fails",
    provoke: withFault("snapshot-fails"),
    says: NOTHING_CHANGED,
    label: "Once fixed, run",
    first: ended,
  },
  {
    name: "The snapshot doesn't become available in time",
    provoke: withFault("snapshot-stays-creating", { "backup.timeout": "5s" }),
    says: /The migration did not start|atabase and app are as they were/,
    label: "Once fixed, run",
    first: ended,
  },
  {
    name: "The database is busy for too long",
    provoke: withFault("instance-unavailable", { "backup.timeout": "5s" }),
    says: /The migration did not start/,
    label: "Once fixed, run",
    first: ended,
  },
  {
    name: "The store for dumps is full",
    stack: "dump",
    provoke: withFault("store-full"),
    says: /store-full/,
    label: "Once fixed, run",
    first: { ...ended, what: "makes room" },
  },
  {
    name: "The store for dumps refuses access",
    stack: "dump",
    provoke: withFault("store-refuses"),
    says: /store-refused/,
    label: "Once fixed, run",
    first: { ...ended, what: "grants the right" },
  },
];
