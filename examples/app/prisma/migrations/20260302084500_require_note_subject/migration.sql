-- The scan takes a lock that lets reads and writes pass; SET NOT NULL then relies on the checked constraint and needs no scan.
ALTER TABLE "notes" VALIDATE CONSTRAINT "notes_subject_present";

-- AlterTable
ALTER TABLE "notes" ALTER COLUMN "subject" SET NOT NULL;

ALTER TABLE "notes" DROP CONSTRAINT "notes_subject_present";
