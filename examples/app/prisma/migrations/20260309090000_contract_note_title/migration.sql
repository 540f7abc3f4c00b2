-- Contract: no running version reads or writes "title" any more.
DROP TRIGGER "notes_title_subject" ON "notes";

DROP FUNCTION "notes_title_subject"();

-- AlterTable
ALTER TABLE "notes" DROP COLUMN "title";
