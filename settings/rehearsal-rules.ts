import { problem, type Rule } from "./rule";
import type { Settings } from "./schema";

type From = NonNullable<Settings["rehearsal"]["from"]>;
type Sections = Pick<Settings, "rehearsal" | "backup" | "database">;

/** The values of `rehearsal.from` that a database can have, by `backup.mode`. */
const POSSIBLE: Readonly<Record<Settings["backup"]["mode"], readonly From[]>> = {
  snapshot: ["snapshot", "pitr"],
  dump: ["dump", "pitr"],
  branch: ["branch"],
  none: ["pitr"],
};

/**
 * Returns what a rehearsal restores; undefined if the settings name nothing that can be restored.
 * @param own whether it rehearses a release, which has a backup of its own
 */
export function rehearsalSource({ rehearsal, backup, database }: Sections, own: boolean): From | undefined {
  if (rehearsal.from !== undefined) return rehearsal.from;
  if (backup.mode === "none") return database.identifier === undefined ? undefined : "pitr";
  return backup.mode === "snapshot" && !own ? "pitr" : backup.mode;
}

/** The rules for the rehearsal on a copy of the database. */
export const rehearsalRules: Rule[] = [
  {
    needs: ["rehearsal", "backup"],
    broken: ({ rehearsal: { from }, backup: { mode } }) =>
      problem(
        from !== undefined && !POSSIBLE[mode].includes(from),
        ["rehearsal", "from"],
        `${POSSIBLE[mode].map((each) => `"${each}"`).join(" or ")}, because backup.mode is "${mode}"`,
      ),
  },
  {
    needs: ["rehearsal", "database"],
    broken: ({ rehearsal: { from }, database: { identifier } }) =>
      problem(
        from === "pitr" && identifier === undefined,
        ["database", "identifier"],
        'the DB identifier of RDS, because rehearsal.from is "pitr"',
      ),
  },
  {
    needs: ["rehearsal", "backup", "database"],
    broken: (settings) =>
      problem(
        settings.rehearsal.mode === "copy" && rehearsalSource(settings, true) === undefined,
        ["rehearsal", "mode"],
        '"none", because backup.mode is "none" and database.identifier names no database of RDS',
      ),
  },
  {
    needs: ["rehearsal", "backup", "database"],
    broken: (settings) => {
      const { rehearsal } = settings;
      const from = rehearsalSource(settings, true);
      const asked = rehearsal.mode === "copy" || rehearsal.from !== undefined;
      return [
        ...problem(
          asked && from === "dump" && rehearsal.into === undefined,
          ["rehearsal", "into"],
          "a group of keys: the Secret with the URL of a database on another server, because the copy is made of a dump",
        ),
        ...problem(
          rehearsal.into !== undefined && from !== "dump",
          ["rehearsal", "into"],
          "left out, because the copy is not made of a dump",
        ),
        ...problem(
          rehearsal.class !== undefined && (from === "dump" || from === "branch"),
          ["rehearsal", "class"],
          "left out, because the copy is none of RDS",
        ),
      ];
    },
  },
  {
    needs: ["rehearsal", "backup", "database"],
    broken: (settings) => {
      const { rehearsal, backup, database } = settings;
      const isEncrypted = rehearsalSource(settings, true) === "dump" && (backup.dump?.recipients.length ?? 0) > 0;
      const inRelease = rehearsal.mode === "copy";
      return [
        ...problem(
          inRelease && isEncrypted,
          ["rehearsal", "mode"],
          '"none", because the dumps are encrypted (backup.dump.recipients) and a release has no private key; rehearse by `ops rehearse --identity FILE`',
        ),
        ...problem(
          inRelease && database.file !== undefined,
          ["rehearsal", "mode"],
          '"none", because the connection is in files of the CSI driver (database.file), which can\'t lead to a copy',
        ),
      ];
    },
  },
  {
    needs: ["rehearsal", "database", "migrations"],
    broken: ({ rehearsal, database, migrations }) => {
      const own = [database.secret?.name, database.migration.secret.name];
      return Object.entries(migrations.env ?? {}).flatMap(([name, value]) =>
        problem(
          rehearsal.mode === "copy" &&
            typeof value === "object" &&
            "secret" in value &&
            !own.includes(value.secret.name),
          ["migrations", "env", name],
          'a text or in the Secret of the database, because rehearsal.mode is "copy" and another Secret may lead to production',
        ),
      );
    },
  },
];
