import type { Load } from "./load";
import { differences, takePicture } from "./picture";
import type { Stage } from "./stage";

/** Something that the demo promises, and whether it happened. */
export interface Claim {
  what: string;
  holds: boolean;
}

export interface Act {
  title: string;
  story: string;
  play(stage: Stage, load: Load | undefined): Promise<Claim[]>;
}

const FIRST = ["20260105093000_init", "20260112141500_add_note_pinned", "20260119101200_add_note_state"];
const SECOND = [
  "20260202083000_index_notes_created_at",
  "20260216090500_expand_note_subject",
  "20260223101500_backfill_note_subject",
];
const FAILING = "20260316090000_limit_note_subject";
/** The second statement fails because a note is longer; the first statement has been executed by then. */
const FAILING_SQL = `-- AlterTable
ALTER TABLE "notes" ADD COLUMN     "archived_at" TIMESTAMPTZ(3);

ALTER TABLE "notes" ADD CONSTRAINT "notes_subject_length"
    CHECK (char_length("subject") <= 80);
`;
const LONG_SUBJECT = "a subject that is longer than anybody thought when the limit was written down, by a few words";

const live = async (stage: Stage) => {
  const response = await fetch(new URL("/health", await stage.url()), { headers: { connection: "close" } });
  return (await response.json()) as { status: string; version: string; schemaVersion: string };
};

export const acts: Act[] = [
  {
    title: "The first release",
    story:
      "An empty machine: a database is made, the snapshot is taken, three migrations are applied, the app is rolled out.",
    async play(stage) {
      stage.addMigrations(FIRST);
      const { status } = await stage.up("notes:1.0.0");
      const { version, schemaVersion } = await live(stage);
      return [
        { what: "the command ends with 0", holds: status === 0 },
        {
          what: "1.0.0 serves the schema of its last migration",
          holds: version === "1.0.0" && schemaVersion === FIRST.at(-1),
        },
      ];
    },
  },
  {
    title: "A good migration",
    story:
      "Version 1.1.0 calls the note's title its subject. An index is built, the column is added, filled and kept equal.",
    async play(stage) {
      await post(stage, LONG_SUBJECT);
      stage.addMigrations(SECOND);
      const { status } = await stage.up("notes:1.1.0");
      const { version, schemaVersion } = await live(stage);
      return [
        { what: "the command ends with 0", holds: status === 0 },
        { what: "1.1.0 serves the new schema", holds: version === "1.1.0" && schemaVersion === SECOND.at(-1) },
      ];
    },
  },
  {
    title: "A failing migration",
    story: "Version 1.2.0 limits the subject to 80 characters, and forgets that a longer one is there.",
    async play(stage) {
      stage.writeMigration(FAILING, FAILING_SQL);
      const outputs = JSON.stringify(await stage.outputs());
      const before = await takePicture(stage.databaseUrl());
      const { status, text } = await stage.up("notes:1.2.0");
      const after = await takePicture(stage.databaseUrl(), before.upTo);
      const { version, status: health } = await live(stage);
      const differing = differences(before, after);
      return [
        { what: "the command ends with another status than 0", holds: status !== 0 },
        { what: "the message names the constraint", holds: text.includes("notes_subject_length") },
        { what: "1.1.0 serves as before", holds: version === "1.1.0" && health === "ok" },
        {
          what: `the database is untouched: schema, history and all ${before.notes} notes are the same in a dump${differing.length > 0 ? `, but not ${differing.join(", ")}` : ""}`,
          holds: differing.length === 0,
        },
        { what: "the outputs are unchanged", holds: JSON.stringify(await stage.outputs()) === outputs },
      ];
    },
  },
  {
    title: "The same release after repair",
    story: "The long subject is shortened, and the same command finishes the release.",
    async play(stage) {
      const repair = await stage.local([
        "query",
        "UPDATE notes SET subject = left(subject, 80) WHERE char_length(subject) > 80",
      ]);
      const { status } = await stage.up("notes:1.2.0");
      const { version, schemaVersion } = await live(stage);
      return [
        { what: "one note is repaired", holds: repair.status === 0 && repair.text.includes("UPDATE 1") },
        { what: "the command ends with 0", holds: status === 0 },
        { what: "1.2.0 serves the new schema", holds: version === "1.2.0" && schemaVersion === FAILING },
      ];
    },
  },
  {
    title: "A rollout that never gets ready",
    story: "Version 1.3.0 starts, but its readiness probe never passes.",
    async play(stage) {
      const outputs = JSON.stringify(await stage.outputs());
      const { status } = await stage.up("notes:1.3.0-unready");
      const { version, status: health } = await live(stage);
      return [
        { what: "the command ends with another status than 0", holds: status !== 0 },
        { what: "1.2.0 serves as before", holds: version === "1.2.0" && health === "ok" },
        { what: "the outputs are unchanged", holds: JSON.stringify(await stage.outputs()) === outputs },
      ];
    },
  },
];

async function post(stage: Stage, subject: string): Promise<void> {
  const response = await fetch(new URL("/notes", await stage.url()), {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close" },
    body: JSON.stringify({ subject }),
  });
  if (response.status !== 201) throw new Error(`the long note was answered with ${response.status}`);
}
