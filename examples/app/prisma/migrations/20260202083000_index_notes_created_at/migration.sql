-- Alone in its file: CONCURRENTLY, which lets the app go on writing during the build, can't run in a transaction.
-- CreateIndex
CREATE INDEX CONCURRENTLY "notes_created_at_idx" ON "notes"("created_at" DESC);
