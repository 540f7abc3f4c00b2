-- CreateTable
CREATE TABLE "notes" (
    "id" SERIAL NOT NULL,
    "title" TEXT NOT NULL,
    "body" TEXT NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "notes_pkey" PRIMARY KEY ("id")
);

-- The first note, so that a new installation does not greet with an empty page.
INSERT INTO "notes" ("title", "body") VALUES ('Welcome', 'POST /notes adds a note; GET /notes lists them.');
