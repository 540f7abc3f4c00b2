import { NEWEST, OLDEST } from "../../support/majors";
import { startServer, type TestServer } from "../../support/server";

export type CorpusServer = TestServer;

/** The majors to try: the newest always; the oldest too with CORPUS_OLDEST=1 (`npm run corpus`), for 60 MB of download, once a machine. */
export const majors: readonly ("newest" | "oldest")[] = process.env.CORPUS_OLDEST ? ["oldest", "newest"] : ["newest"];

export function startCorpusServer(major: "newest" | "oldest"): Promise<CorpusServer> {
  return startServer({ major: major === "newest" ? NEWEST : OLDEST });
}
