-- CreateEnum
CREATE TYPE "note_state" AS ENUM ('open', 'done');

-- AlterTable
ALTER TABLE "notes" ADD COLUMN     "state" "note_state" NOT NULL DEFAULT 'open';
