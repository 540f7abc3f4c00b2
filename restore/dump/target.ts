import { backupFolder } from "../../backup/names";
import type { DatabaseDifference } from "../../backup/restoring/differences";
import type { ListedDatabase, Look } from "../../backup/restoring/look";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import type { CommandStack } from "../../by-hand/stack";
import type { DumpSettings } from "../../components/dump-pod";
import { formatBytes } from "../../text/bytes";
import type {
  CopyPurpose,
  Difference,
  IntoSecret,
  ListedCopy,
  Move,
  RestoredCopy,
  RestorePlan,
  RestoreRequest,
  RestoreTarget,
  Say,
} from "../target";
import { plannedCalls } from "./calls";
import { checkedCopyName, databaseCopyName, fixedCopyName } from "./copy-name";
import { fileKeyOf } from "./file-key";
import { type DumpJobArgs, labelValue } from "./job";
import { runDumpJob } from "./run";
import type { SeenDump } from "./seen-dump";
import { wantedDump } from "./which-dump";

/** The plan of a dump's restore. */
export interface DumpPlan extends RestorePlan {
  readonly look: SeenDump;
}

/** What the target works with. */
export interface DumpTargetArgs {
  readonly stack: CommandStack<"backup">;
  readonly backup: DumpSettings;
  /** The file with the private key of age. */
  readonly identity: string | undefined;
  /** The database that takes the dump; undefined: one is made beside the source. */
  readonly into: IntoSecret | undefined;
  readonly patience: { readonly timeout: number; readonly stop: AbortSignal };
  /** The command that this is, for the messages of the Job. */
  readonly rerun: string;
  /** Says what happens meanwhile. */
  readonly say: Say;
}

/** The longest time that a look at the dump and the server takes, in milliseconds. */
const LOOK_MS = 300_000;

/**
 * Restores dumps, each into a database of its own on the source's server, or into one that somebody has made. Every step
 * is a Job in the cluster, because the store and the database can be reached from there. The data don't pass this
 * machine, and the private key doesn't leave it.
 */
export class DumpTarget implements RestoreTarget<DumpPlan> {
  #differences: readonly DatabaseDifference[] = [];

  constructor(readonly args: DumpTargetArgs) {}

  fixedName(purpose: CopyPurpose): string {
    return fixedCopyName(this.args.stack.settings.app.name, purpose);
  }

  async plan({ to, name, facts, now }: RestoreRequest): Promise<DumpPlan> {
    const { into, stack, backup } = this.args;
    if (name !== undefined) checkedCopyName(name);
    const place = this.#place();
    const wanted = wantedDump(to, facts, {
      place,
      folder: backupFolder({ project: stack.project, stack: stack.name }),
    });
    const seen = await this.#look(wanted.name);
    const look = requireDump(seen, into);
    const { manifest } = look;
    const begun = copyOf(seen, name);
    const copy = into ? look.database : (begun?.name ?? name ?? databaseCopyName(look.base, now, new Set(look.taken)));
    return {
      source: `database ${stack.settings.database.name ?? manifest.database.name}`,
      place: `${look.host}:${look.port}, Postgres ${look.server}`,
      from: `dump ${look.dump} of ${manifest.begunAt}`,
      copy,
      exists: begun !== undefined,
      calls: plannedCalls(look, { copy, stack, backup, into, place }),
      notes: [...wanted.notes, ...notesOf(look, into)],
      look,
    };
  }

  async carryOut({ copy, look }: DumpPlan, say: Say): Promise<RestoredCopy> {
    const { into } = this.args;
    const { manifest, header, location = "" } = look;
    const encrypted = header && { location, recipients: manifest.recipients, header };
    const fileKey = encrypted ? await fileKeyOf(encrypted, this.args.identity) : undefined;
    say(
      `Job: ${into ? "" : `creates database ${copy}, and `}restores ${formatBytes(manifest.archiveBytes)} into ${copy}`,
    );
    const events = await runDumpJob(
      this.#job("restore", look.dump, ["--dump", look.dump, ...(into ? [] : ["--copy", copy])], {
        fileKey,
        format: manifest.format,
      }),
      this.args.patience.stop,
      say,
    );
    const made = events.get("restore.copy");
    this.#differences = parsed<DatabaseDifference[]>(events.get("restore.differences")?.["differences"]) ?? [];
    return {
      name: copy,
      endpoint: { host: String(made?.["host"] ?? look.host), port: Number(made?.["port"] ?? look.port) },
      database: copy,
      ...(into ? { into } : {}),
      ...(look.rows ? { rows: look.rows } : {}),
    };
  }

  /** Returns what the last restore of this target has found; the Job compares both databases at its end. */
  async differences(): Promise<Difference[]> {
    return [...this.#differences];
  }

  async move(name: string): Promise<Move> {
    const { host, port, database, copies } = await this.#look(undefined, ["--no-dump"]);
    const found = copies.find((each) => each.name === name);
    if (!found || found.unusable || found.mark.state !== "complete")
      throw new CommandFailure(
        EXIT.usage,
        found ? `${name} is not restored to its end.` : `There is no copy ${name} of database ${database}.`,
        undefined,
        found
          ? "the restore again, then the same command"
          : "see `list`, then the same command with the name of a copy",
      );
    const endpoint = { host, port };
    return { source: { endpoint, database }, copy: { endpoint, database: name }, from: found.mark.dump };
  }

  async list(): Promise<ListedCopy[]> {
    return (await this.#look(undefined, ["--no-dump"])).copies.map(({ name, mark, sessions, unusable }) => ({
      name,
      status: unusable || mark.state !== "complete" ? "unfinished" : "complete",
      source: mark.source,
      from: `${mark.dump} of ${mark.of}`,
      createdAt: new Date(mark.begunAt),
      protectedFromDeletion: sessions.length > 0 && mark.state === "complete",
      expires: name === this.fixedName("rehearsal") ? new Date(mark.begunAt) : undefined,
    }));
  }

  async remove(name: string, unprotect: boolean, say: Say): Promise<void> {
    const words = ["--copy", checkedCopyName(name), ...(unprotect ? ["--force"] : [])];
    await runDumpJob(this.#job("remove", name, words), this.args.patience.stop, say);
  }

  /** Returns where dumps are: `s3://bucket/prefix` or `pvc://claim`. */
  #place(): string {
    const { to, claim } = this.args.backup.dump;
    return to ?? `pvc://${claim}`;
  }

  async #look(dump: string | undefined, more: readonly string[] = []): Promise<Look> {
    const words = [...(dump === undefined ? [] : ["--dump", dump]), ...more];
    const job = { ...this.#job("look", dump ?? "", words), timeout: LOOK_MS };
    const events = await runDumpJob(job, this.args.patience.stop, this.args.say);
    const seen = parsed<Look>(events.get("restore.look")?.["look"]);
    if (!seen) throw new CommandFailure(EXIT.cluster, "The Job that looks at the dump ended without an answer.");
    return seen;
  }

  #job(
    verb: DumpJobArgs["verb"],
    subject: string,
    words: readonly string[],
    more: Pick<DumpJobArgs, "fileKey" | "format"> = {},
  ): DumpJobArgs {
    const { stack, backup, patience, rerun } = this.args;
    const into = verb === "remove" ? undefined : this.args.into;
    const base = { stack, backup, verb, into, subject: labelValue(subject), timeout: patience.timeout, ...more };
    return { ...base, arguments: [...words, "--rerun", rerun] };
  }
}

/** @throws CommandFailure if there is no dump, or no database can be made for it */
function requireDump(look: Look, into: IntoSecret | undefined): SeenDump {
  const { dump, manifest, noCreation, role } = look;
  if (dump === undefined || !manifest)
    throw new CommandFailure(
      EXIT.usage,
      "Which dump is to be restored is not known: the database has recorded none.",
      undefined,
      "the same command with --to DUMP, as the output `backup` or the store names it",
    );
  if (noCreation !== undefined && !into)
    throw new CommandFailure(
      EXIT.usage,
      `The migration's role ${role} can't create a database beside the source: ${noCreation}.`,
      undefined,
      `have an administrator run ALTER ROLE ${role} CREATEDB; or make an empty database and a Secret with its URL, then the same command with --into SECRET/KEY`,
    );
  return { ...look, dump, manifest };
}

/** Returns the copy of the dump that an earlier run has made or begun; undefined if there is none. */
function copyOf({ copies, dump }: Look, name: string | undefined): ListedDatabase | undefined {
  const same = copies.filter(({ mark, name: own }) => mark.dump === dump && (name === undefined || own === name));
  return same.find(({ mark }) => mark.state === "complete") ?? same[0];
}

function notesOf({ manifest, server }: SeenDump, into: IntoSecret | undefined): string[] {
  const notes = [
    `It needs about ${formatBytes(manifest.database.bytes)} on the ${into ? "" : "same "}server's disk, and its load falls on ${into ? "that server" : "the source's server"}.`,
  ];
  if (Number.parseInt(manifest.server, 10) !== Number.parseInt(server, 10))
    notes.push(`The dump is of Postgres ${manifest.server}, and the server has ${server}.`);
  return notes;
}

function parsed<T>(text: unknown): T | undefined {
  return typeof text === "string" ? (JSON.parse(text) as T) : undefined;
}
