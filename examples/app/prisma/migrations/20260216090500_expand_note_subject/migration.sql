-- Expand: "title" becomes "subject". Old pods write the one, new pods the other, and the trigger keeps both equal
-- until the contract migration (20260309090000_contract_note_title) drops "title".
-- AlterTable
ALTER TABLE "notes" ADD COLUMN     "subject" TEXT;

CREATE FUNCTION "notes_title_subject"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW."subject" IS DISTINCT FROM OLD."subject" THEN
            NEW."title" := NEW."subject";
        ELSE
            NEW."subject" := NEW."title";
        END IF;
    ELSE
        NEW."subject" := COALESCE(NEW."subject", NEW."title");
        NEW."title" := NEW."subject";
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER "notes_title_subject" BEFORE INSERT OR UPDATE ON "notes"
    FOR EACH ROW EXECUTE FUNCTION "notes_title_subject"();

-- Holds for every row written from now on; the rows that are there already are filled in, then checked, by the next two migrations.
ALTER TABLE "notes" ADD CONSTRAINT "notes_subject_present" CHECK ("subject" IS NOT NULL) NOT VALID;
