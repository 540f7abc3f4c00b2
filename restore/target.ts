import type { ReleaseFacts } from "../by-hand/release-facts";

/** What a copy is made for, if not for people: a check of the backup, or a rehearsal of migrations. */
export type CopyPurpose = "check" | "rehearsal";

/** How the copy of a rehearsal differs from one for people: nothing protects it from deletion, and it costs less. */
export interface RehearsalCopy {
  /** The instance class, in RDS; undefined: the source's. */
  readonly class?: string | undefined;
  /** The time from which on anybody may remove it. */
  readonly expires: Date;
}

/** What a person asks a restore for. */
export interface RestoreRequest {
  /** `--to`: a backup's name, a time, `latest` or `before-migration`. Default: the backup that the live release took. */
  readonly to: string | undefined;
  /** `--name`: the name of the copy. Default: made of the source's name and the present time. */
  readonly name: string | undefined;
  /** What is known of the live release. */
  readonly facts: ReleaseFacts;
  readonly now: Date;
  /** Default: the copy is one for people. */
  readonly rehearsal?: RehearsalCopy | undefined;
}

/** One call of a restore, as `--plan` shows it. */
export interface PlannedCall {
  /** What the call is for, such as "makes the database". */
  readonly what: string;
  /** The name of the call in its API. */
  readonly operation: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The same call as a command that a person can type. */
  readonly typed: string;
  /** What is waited for after the call; null: nothing. Default: the database is available. */
  readonly until?: string | null;
}

/** What a restore will do. It was made by reading alone. */
export interface RestorePlan {
  /** The database whose backup is restored, such as "instance notes-db". It is only read. */
  readonly source: string;
  /** Where that database is, such as "account 111122223333, eu-central-1". */
  readonly place: string;
  /** What is restored, such as "snapshot notes-db-0a4ccad5b85c of 2026-11-21 10:00 UTC". */
  readonly from: string;
  /** The name of the copy. */
  readonly copy: string;
  /** True if the copy exists already, because an earlier run was ended before it was finished, or has made it. */
  readonly exists: boolean;
  /** Every call that changes something, in order. */
  readonly calls: readonly PlannedCall[];
  /** What a person should know before it begins. */
  readonly notes: readonly string[];
}

/** A restored database. */
export interface RestoredCopy {
  readonly name: string;
  /** Where it is reached by those who may write. */
  readonly endpoint: { readonly host: string; readonly port: number };
  /** Where it is reached by those who only read, if that is another address. */
  readonly readerEndpoint?: { readonly host: string; readonly port: number } | undefined;
  /** The name of its database, if it differs from the source's by that. */
  readonly database?: string | undefined;
  /** The Secret with its connection string, if it is not on the source's server. */
  readonly into?: IntoSecret;
  /** The rows of each table in the backup, as its manifest estimates them. */
  readonly rows?: Readonly<Record<string, number>>;
}

/** A key of a Secret in the release's namespace with the URL of a database that takes a restore. */
export interface IntoSecret {
  readonly secret: string;
  readonly key: string;
}

/** Where a database is reached, and the names by which settings find it. */
export interface Whereabouts {
  /** Its identifier in RDS, as `database.identifier` has it; undefined: it has none. */
  readonly identifier?: string | undefined;
  readonly endpoint: { readonly host: string; readonly port: number };
  /** Where it is reached by those who only read, if that is another address. */
  readonly readerEndpoint?: { readonly host: string; readonly port: number } | undefined;
  /** Its name on the server; undefined: the copy has the name of its source, because it is on a server of its own. */
  readonly database?: string | undefined;
}

/** A database and a copy of it, to which an app can be moved. */
export interface Move {
  readonly source: Whereabouts;
  readonly copy: Whereabouts;
  /** What the copy was restored to, such as a snapshot's name or a moment. */
  readonly from: string;
  /** True if a rehearsal made the copy, so that no app may be moved to it. Default: false. */
  readonly isRehearsal?: boolean;
}

/** A parameter in which the copy differs from its source. */
export interface Difference {
  /** The parameter's name in its API. */
  readonly parameter: string;
  readonly source: string;
  readonly copy: string;
  /** Why it differs, or what to do about it. */
  readonly note?: string | undefined;
}

/** A restored database in the list of all. */
export interface ListedCopy {
  readonly name: string;
  readonly status: string;
  readonly source: string;
  readonly from: string;
  /** The time at which it was made; undefined while that is not known. */
  readonly createdAt: Date | undefined;
  readonly protectedFromDeletion: boolean;
  /** The time from which on anybody may remove it, if a rehearsal made it; undefined: no rehearsal did. */
  readonly expires?: Date | undefined;
}

/** Says what happens meanwhile, in lines for people. */
export type Say = (line: string) => void;

/**
 * One kind of backup that a database can be restored from, such as a snapshot of RDS or a dump. Every method may be
 * called again after it was interrupted at any point. None changes the source.
 */
export interface RestoreTarget<Plan extends RestorePlan = RestorePlan> {
  /**
   * Returns the name of the copy that a check or a rehearsal makes. It is always the same, so that the next one finds
   * what one that was killed has left.
   */
  fixedName(purpose: CopyPurpose): string;
  /** Plans a restore by reading alone. If an earlier run has begun it, the plan goes on with that copy. */
  plan(request: RestoreRequest): Promise<Plan>;
  /** Makes every call of the plan that is not made yet, and waits until the copy can be used. */
  carryOut(plan: Plan, say: Say): Promise<RestoredCopy>;
  /** Returns every parameter in which the copy differs from its source. */
  differences(plan: Plan): Promise<Difference[]>;
  /**
   * Returns what it takes to move the app to a copy. Without this method no app can be moved to copies of this kind.
   * @throws CommandFailure if there is no such copy of the stack's database, or it can't be used yet
   */
  move?(copy: string): Promise<Move>;
  /** Lists the copies that restores have made. */
  list(): Promise<ListedCopy[]>;
  /**
   * Deletes a copy, and nothing that isn't one.
   * @param unprotect whether to lift its protection from deletion first
   */
  remove(name: string, unprotect: boolean, say: Say): Promise<void>;
}
