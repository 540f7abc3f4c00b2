import { setTimeout as pause } from "node:timers/promises";
import type { NeonBranch, NeonEndpoint, NewBranch } from "../../backup/neon/answers";
import type { NeonApi } from "../../backup/neon/api";
import { branchNamed, isRestoreOf, restoreAnnotation, restoreBranches } from "../../backup/neon/branches";
import { NeonUnreachable } from "../../backup/neon/error";
import { isComplete, readyBranch, settled } from "../../backup/neon/operations";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import { neonApi } from "../../by-hand/neon/access";
import { withNeon } from "../../by-hand/neon/refusals";
import type { CommandStack } from "../../by-hand/stack";
import { shellWord } from "../../text/shell-word";
import { time } from "../rds/command-line";
import { copyName, nameTaken } from "../rds/copy";
import type { Patience } from "../rds/waiting";
import type {
  CopyPurpose,
  Difference,
  ListedCopy,
  Move,
  RestoredCopy,
  RestorePlan,
  RestoreRequest,
  RestoreTarget,
  Say,
  Whereabouts,
} from "../target";
import { computeDifferences, computeLike } from "./compute";
import { chooseNeonPoint, describedPoint, type NeonPoint, stackOf } from "./point";

/** The plan of a restore on Neon. */
interface NeonPlan extends RestorePlan {
  readonly wanted: NewBranch;
  /** The compute of the source; undefined if it has none. */
  readonly sourceEndpoint: NeonEndpoint | undefined;
}

/** What the target is made of. */
export interface NeonTargetArgs {
  readonly stack: CommandStack<"backup">;
  readonly patience: Patience;
  /** The commands that messages name. */
  readonly commands: { removal(name: string, more?: string): string; readonly list: string };
}

const UNTOUCHED = "the source is untouched; what is there of the copy stays.";
const NOTHING = "nothing was deleted.";

/** The port of every compute of Neon. */
const PORT = 5432;

/**
 * Restores branches of Neon, and moments of its history. A copy is a further branch with a compute of its own: neither
 * the database's branch nor the backup is written to.
 */
export class NeonTarget implements RestoreTarget<NeonPlan> {
  constructor(readonly args: NeonTargetArgs) {}

  fixedName(purpose: CopyPurpose): string {
    return `${this.args.stack.settings.app.name}-restored-${purpose}`;
  }

  plan({ to, name, facts, now, rehearsal }: RestoreRequest): Promise<NeonPlan> {
    const { stack } = this.args;
    return this.work("the source is untouched; nothing was changed.", async (api) => {
      const { point, source, notes } = await chooseNeonPoint(api, stack, to, facts);
      const all = await api.branches();
      const from = fromOf(point);
      const of = { ...stackOf(stack), source: source.id, from, rehearsal: rehearsal && time(rehearsal.expires) };
      const begun = all.find((each) => isRestoreOf(each, of) && (name ?? each.name) === each.name);
      const taken = new Set(all.map((each) => each.name));
      const copy = begun?.name ?? name ?? copyName(stack.settings.app.name, now, taken);
      if (!begun && taken.has(copy)) throw nameTaken(copy);
      const sourceEndpoint = writerOf(await api.endpoints(), source.id);
      const wanted: NewBranch = {
        name: copy,
        parent_id: point.kind === "branch" ? point.branch.id : source.id,
        ...(point.kind === "time" ? { parent_timestamp: time(point.at) } : {}),
        annotation: restoreAnnotation(of),
        endpoints: [computeLike(sourceEndpoint)],
      };
      return {
        source: `branch ${source.name}`,
        place: `Neon's project ${api.access.project}`,
        from: describedPoint(point),
        ...{ copy, exists: begun !== undefined, wanted, sourceEndpoint },
        calls: [plannedCall(api, wanted)],
        notes: [...notes, ...notesOf(source, point)],
      };
    });
  }

  carryOut({ wanted }: NeonPlan, say: Say): Promise<RestoredCopy> {
    return this.work(
      UNTOUCHED,
      async (api) => {
        const branch = (await branchNamed(api, wanted.name)) ?? (await this.made(api, wanted, say));
        await readyBranch(api, branch.id);
        let endpoint = writerOf(await api.endpoints(), branch.id);
        if (!endpoint) {
          say(`POST /endpoints: starts a compute for ${wanted.name}`);
          const [like = computeLike(undefined)] = wanted.endpoints ?? [];
          await settled(api, (await api.createEndpoint(branch.id, like)).operations);
          endpoint = writerOf(await api.endpoints(), branch.id);
        }
        if (!endpoint) throw new CommandFailure(EXIT.failed, `${wanted.name} has no compute.`, UNTOUCHED);
        return { name: wanted.name, endpoint: addressOf(endpoint) };
      },
      say,
    );
  }

  differences({ copy, sourceEndpoint }: NeonPlan): Promise<Difference[]> {
    return this.work(UNTOUCHED, async (api) => {
      const branch = await branchNamed(api, copy);
      const endpoint = branch && writerOf(await api.endpoints(), branch.id);
      return sourceEndpoint && endpoint ? computeDifferences(sourceEndpoint, endpoint) : [];
    });
  }

  move(name: string): Promise<Move> {
    const { stack, commands } = this.args;
    return this.work("nothing was changed.", async (api) => {
      const copy = (await restoreBranches(api, stackOf(stack))).find((each) => each.name === name);
      const endpoints = await api.endpoints();
      const [from, to] = [copy?.annotation["source"] ?? "", copy?.id ?? ""].map((id) => writerOf(endpoints, id));
      if (!copy || !from)
        throw new CommandFailure(
          EXIT.usage,
          `There is no copy ${name} of the database of stack ${stack.name}.`,
          undefined,
          `${commands.list}, then the same command with the name of a copy`,
        );
      if (!to || !isComplete(copy))
        throw new CommandFailure(
          EXIT.failed,
          `${name} has no compute yet.`,
          undefined,
          "the same command, when the restore has ended",
        );
      const { from: point = "", rehearsal } = copy.annotation;
      const isRehearsal = rehearsal !== undefined;
      return { source: whereaboutsOf(from), copy: whereaboutsOf(to), from: point, isRehearsal };
    });
  }

  list(): Promise<ListedCopy[]> {
    const { stack } = this.args;
    return this.work("nothing was changed.", async (api) => {
      const names = new Map((await api.branches()).map(({ id, name }) => [id, name]));
      const copies = await restoreBranches(api, stackOf(stack));
      return copies.map(({ name, current_state: status, annotation, created_at, protected: isProtected }) => ({
        ...{ name, status, source: names.get(annotation["source"] ?? "") ?? "", from: annotation["from"] ?? "" },
        createdAt: new Date(created_at),
        protectedFromDeletion: isProtected,
        expires: annotation["rehearsal"] === undefined ? undefined : new Date(annotation["rehearsal"]),
      }));
    });
  }

  remove(name: string, unprotect: boolean, say: Say): Promise<void> {
    const { stack, commands } = this.args;
    return this.work(
      NOTHING,
      async (api) => {
        const copy = (await restoreBranches(api, stackOf(stack))).find((each) => each.name === name);
        if (!copy)
          throw new CommandFailure(
            EXIT.usage,
            `No branch of that name was made by a restore for stack ${stack.name}: ${name} (it would carry the annotation postgres-release: restore).`,
            NOTHING,
            commands.list,
          );
        if (copy.protected && !unprotect)
          throw new CommandFailure(
            EXIT.usage,
            `${name} is protected from deletion.`,
            NOTHING,
            commands.removal(name, "--unprotect"),
          );
        if (copy.protected) await settled(api, await api.updateBranch(copy.id, { protected: false }));
        await settled(api, await api.deleteBranch(copy.id));
        while ((await api.branches(copy.id)).some(({ id }) => id === copy.id))
          await pause(500, undefined, { signal: api.access.signal });
      },
      say,
    );
  }

  private async made(api: NeonApi, wanted: NewBranch, say: Say): Promise<NeonBranch> {
    say("POST /branches: makes the database, beside its source");
    try {
      const { branch, operations } = await api.createBranch(wanted);
      await settled(api, operations);
      return branch;
    } catch (error) {
      // A request whose answer is lost may have been heard.
      const branch = error instanceof NeonUnreachable ? await branchNamed(api, wanted.name) : undefined;
      if (!branch) throw error;
      return branch;
    }
  }

  private async work<T>(state: string, work: (api: NeonApi) => Promise<T>, say?: Say): Promise<T> {
    const { stack, patience } = this.args;
    const signal = AbortSignal.any([patience.stop, AbortSignal.timeout(patience.timeout)]);
    const api = neonApi(stack, signal, say);
    return withNeon(() => work(api), state, patience.stop);
  }
}

/** Returns what a copy's annotation says of the point that it was restored to. */
function fromOf(point: NeonPoint): string {
  return point.kind === "branch" ? point.branch.name : time(point.at);
}

function writerOf(endpoints: readonly NeonEndpoint[], branch: string): NeonEndpoint | undefined {
  return endpoints.find((each) => each.branch_id === branch && each.type === "read_write");
}

/** Returns where a compute answers. The servers of the local cloud have a port of their own. */
function addressOf({ host }: NeonEndpoint): RestoredCopy["endpoint"] {
  const [name = "", port] = host.split(":");
  return { host: name, port: port === undefined ? PORT : Number(port) };
}

/** Returns where a branch answers. Those who use Neon's pooler get to that of the copy, as readers do elsewhere. */
function whereaboutsOf(endpoint: NeonEndpoint): Whereabouts {
  const { host, port } = addressOf(endpoint);
  return { endpoint: { host, port }, readerEndpoint: { host: host.replace(/^(ep-[^.]+)/, "$1-pooler"), port } };
}

/** Shows the call that makes a copy. The key is in no argument of the typed command. */
function plannedCall({ access: { endpoint, project } }: NeonApi, { annotation, endpoints, ...branch }: NewBranch) {
  const body = { branch, endpoints, annotation_value: annotation };
  return {
    what: "makes the database, beside its source",
    operation: `POST /projects/${project}/branches`,
    parameters: body,
    typed: [
      `curl --fail-with-body ${shellWord(`${endpoint}/projects/${project}/branches`)} \\`,
      `  -H @<(printf 'Authorization: Bearer %s' "$NEON_API_KEY") -H 'Content-Type: application/json' \\`,
      `  -d ${shellWord(JSON.stringify(body))}`,
    ].join("\n"),
  };
}

/** Returns what a person should know of a restore before it begins. */
function notesOf(source: NeonBranch, point: NeonPoint): string[] {
  const notes = ["The copy shares the storage of its source until one of the two changes."];
  if (source.protected || (point.kind === "branch" && point.branch.protected))
    notes.push(
      "The source is protected, so Neon gives the copy's roles new passwords: look at the copy with --no-verify, and set the passwords in Neon's console.",
    );
  return notes;
}
