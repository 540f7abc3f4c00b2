-- Row locks only: the app reads and writes on.
UPDATE "notes" SET "subject" = "title" WHERE "subject" IS NULL;
