import type { Session } from "../../migrator/db/connection";
import { Records } from "../../migrator/records/records";
import { latestRecord } from "../../migrator/records/release-records";
import type { RecordedBackup } from "../../report/contract";
import type { Manifest } from "../manifest";
import { readManifest } from "../read-dump";
import type { Store } from "../stores/store";
import { baseName, copiesOf, namesWith, type ServerDatabase } from "./copies";
import { creationOf } from "./creation";
import { readHeader } from "./header";
import type { Mark } from "./mark";

/** What a restore is planned by. It was found by reading alone. */
export interface Look {
  /** The server and the database; no user, and no password. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly role: string;
  readonly server: string;
  /** Why the role can't create a database; undefined if it can. */
  readonly noCreation: string | undefined;
  /** The statement that creates the copy, whose name is a placeholder. */
  readonly creation: string;
  readonly copies: readonly ListedDatabase[];
  /** The name of the database, without what an earlier restore has added to it. */
  readonly base: string;
  /** The names of databases that a copy can't have. */
  readonly taken: readonly string[];
  /** The name of the dump; undefined if none is asked for and none is recorded. */
  readonly dump: string | undefined;
  readonly location: string | undefined;
  readonly manifest: Omit<Manifest, "tables"> | undefined;
  /** The rows of each table in the dump, by the planner's estimate. */
  readonly rows: Readonly<Record<string, number>> | undefined;
  /** The head of the dump's file, in base64; undefined if the dump is not encrypted. */
  readonly header: string | undefined;
}

/** A copy, as `list` shows it. */
export type ListedDatabase = Pick<ServerDatabase, "name" | "sessions" | "unusable"> & { readonly mark: Mark };

/** The placeholder of a copy's name in {@link Look.creation}. */
export const COPY_PLACEHOLDER = "{copy}";

/**
 * Looks at what a restore needs to know: the dump with its manifest, the copies that there are, and what the role may.
 * @param dump the name of the dump. Default: the last one that the database has recorded; null: none.
 */
export async function look(session: Session, store: Store, dump: string | null | undefined): Promise<Look> {
  const { target } = session;
  const [role] = await session.rows<{ name: string; server: string; createdb: boolean }>(
    `SELECT current_user::text AS name, current_setting('server_version') AS server, rolcreatedb OR rolsuper AS createdb
     FROM pg_roles WHERE rolname = current_user`,
  );
  const name = dump === null ? undefined : (dump ?? (await lastRecorded(session)));
  const manifest = name === undefined ? undefined : await readManifest(store, name);
  const { tables, ...rest } = manifest ?? { tables: undefined };
  return {
    ...{ host: target.host, port: target.port, database: target.database },
    ...{ role: role?.name ?? "", server: role?.server ?? "" },
    noCreation: role?.createdb ? undefined : "it has no CREATEDB",
    creation: await creationOf(session, COPY_PLACEHOLDER),
    copies: await copiesOf(session),
    base: baseName(target.database),
    taken: await namesWith(session, baseName(target.database)),
    dump: name,
    location: manifest && store.location(manifest.file),
    manifest: manifest && (rest as Omit<Manifest, "tables">),
    rows: tables && Object.fromEntries(Object.entries(tables).map(([table, { rows }]) => [table, rows])),
    header: manifest && (await readHeader(store, manifest)),
  };
}

async function lastRecorded(session: Session): Promise<string | undefined> {
  const records = new Records(session, session.target.schema, undefined);
  return (await latestRecord<RecordedBackup>(records, "dump"))?.data.id;
}
