import type { Session } from "../../migrator/db/connection";
import { CopyInUse, NoSuchCopy } from "../failures/restoring";
import { dropDatabase, findDatabase } from "./copies";

/**
 * Drops a copy, and nothing that isn't one of this session's database.
 * @param force whether to end the sessions that use it
 * @throws NoSuchCopy, CopyInUse
 */
export async function removeCopy(session: Session, name: string, force: boolean): Promise<void> {
  const { database } = session.target;
  if (name === database) throw new NoSuchCopy(name, "it is the database of the stack");
  const found = await findDatabase(session, name);
  if (!found) throw new NoSuchCopy(name, "there is no database of that name");
  const { mark, unusable, sessions } = found;
  if (!unusable && mark?.source !== database) throw new NoSuchCopy(name, `it was not restored from ${database}`);
  if (sessions.length > 0 && mark?.state === "complete" && !force) throw new CopyInUse(name, sessions);
  await dropDatabase(session, name);
}
