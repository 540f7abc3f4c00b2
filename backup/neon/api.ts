import { setTimeout as pause } from "node:timers/promises";
import type { z } from "zod";
import {
  branchAnswer,
  branchesAnswer,
  createdAnswer,
  endpointAnswer,
  endpointsAnswer,
  errorAnswer,
  type NeonBranch,
  type NeonEndpoint,
  type NeonOperation,
  type NewBranch,
  type NewEndpoint,
  operationAnswer,
  operationsAnswer,
  projectAnswer,
} from "./answers";
import { NeonError, NeonUnreachable } from "./error";

/** How the API of one project is reached. */
export interface NeonAccess {
  /** The address of the API, such as https://console.neon.tech/api/v2. */
  readonly endpoint: string;
  /** The API key. It is sent in a header, and is part of no message. */
  readonly key: string;
  readonly project: string;
  /** Is aborted when there is no time left. */
  readonly signal: AbortSignal;
  /** Told before each wait: what keeps Neon from doing what is asked. Default: nobody is told. */
  readonly onWait?: (reason: string) => void;
  /** The first pause before a request is repeated, in milliseconds. Default: 500. */
  readonly firstPauseMs?: number;
}

/** The longest that one request may take, in milliseconds. */
const REQUEST_MS = 30_000;

/** The longest pause before a request is repeated, in milliseconds. */
const LONGEST_PAUSE_MS = 15_000;

/** How often a request is repeated if Neon isn't reached, or is broken. Together the pauses are half a minute. */
const MOST_REPEATS = 6;

/** The branches on one page of a list, the most that Neon allows. */
const PAGE = 10_000;

/**
 * Neon's API, as far as backups need it: https://api-docs.neon.tech/reference/getting-started-with-neon-api. It is
 * `fetch` and the checked shape of a few answers; the client @neondatabase/api-client 2.7.3 would bring axios and 160 kB
 * of generated code into a ConfigMap, and repeats nothing by itself.
 *
 * A request that Neon refuses because another operation runs in the project (423), or because there were too many (429),
 * is repeated until the signal is aborted: https://neon.com/docs/reference/api/operations and
 * https://api-docs.neon.tech/reference/api-rate-limiting. One that gets no answer is repeated only if it changes nothing.
 */
export class NeonApi {
  constructor(readonly access: NeonAccess) {}

  /** Lists the branches of the project. @param search a part of their names or ids; default: all branches */
  async branches(search?: string): Promise<NeonBranch[]> {
    const found: NeonBranch[] = [];
    for (let cursor: string | undefined; ; ) {
      const query = new URLSearchParams({
        limit: String(PAGE),
        ...(search === undefined ? {} : { search }),
        ...(cursor === undefined ? {} : { cursor }),
      });
      const { branches, annotations, pagination } = await this.get(`/branches?${query}`, branchesAnswer);
      found.push(...branches.map((each) => ({ ...each, annotation: annotations[each.id]?.value ?? {} })));
      if (!pagination?.next || branches.length === 0) return found;
      cursor = pagination.next;
    }
  }

  async branch(id: string): Promise<NeonBranch> {
    const { branch, annotation } = await this.get(`/branches/${encodeURIComponent(id)}`, branchAnswer);
    return { ...branch, annotation: annotation?.value ?? {} };
  }

  /**
   * Begins to make a branch. If no answer comes, it may have been made all the same: look for it before asking again.
   * @throws NeonError whose `isBranchLimit` is true if the project may have no more of them
   */
  async createBranch(wanted: NewBranch): Promise<{ branch: NeonBranch; operations: NeonOperation[] }> {
    const { annotation, endpoints, ...branch } = wanted;
    const body = { branch, annotation_value: annotation, ...(endpoints === undefined ? {} : { endpoints }) };
    const made = await this.send("POST", "/branches", createdAnswer, body);
    return { branch: { ...made.branch, annotation }, operations: made.operations };
  }

  async updateBranch(id: string, change: { name: string } | { protected: boolean }): Promise<NeonOperation[]> {
    const path = `/branches/${encodeURIComponent(id)}`;
    return (await this.send("PATCH", path, operationsAnswer, { branch: change })).operations;
  }

  /** Begins to delete a branch with its computes; does nothing if it is gone. */
  async deleteBranch(id: string): Promise<NeonOperation[]> {
    return (await this.send("DELETE", `/branches/${encodeURIComponent(id)}`, operationsAnswer)).operations;
  }

  /** Lists the computes of the project, by which its branches are connected to. */
  async endpoints(): Promise<NeonEndpoint[]> {
    return (await this.get("/endpoints", endpointsAnswer)).endpoints;
  }

  /** Begins to start a compute for a branch that has none. */
  async createEndpoint(
    branch: string,
    wanted: NewEndpoint,
  ): Promise<{ endpoint: NeonEndpoint; operations: NeonOperation[] }> {
    return this.send("POST", "/endpoints", endpointAnswer, { endpoint: { ...wanted, branch_id: branch } });
  }

  /** Reads for how many seconds the project keeps the history of its branches. */
  async project(): Promise<{ history_retention_seconds: number }> {
    return (await this.get("", projectAnswer)).project;
  }

  async operation(id: string): Promise<NeonOperation> {
    return (await this.get(`/operations/${encodeURIComponent(id)}`, operationAnswer)).operation;
  }

  private get<T>(path: string, answer: z.ZodType<T>): Promise<T> {
    return this.send("GET", path, answer);
  }

  private async send<T>(method: string, path: string, answer: z.ZodType<T>, body?: object): Promise<T> {
    const { project, signal, firstPauseMs = 500 } = this.access;
    const asked = `${method} /projects/${project}${path.split("?")[0]}`;
    const repeatable = method === "GET";
    for (let attempt = 0; ; attempt++) {
      const last = attempt >= MOST_REPEATS;
      const got = await this.once(method, `/projects/${encodeURIComponent(project)}${path}`, body);
      let reason: string;
      if ("unreachable" in got) {
        if (!repeatable || last) throw new NeonUnreachable(this.access.endpoint, got.unreachable);
        reason = got.unreachable;
      } else {
        const { status, text } = got;
        if (status < 300) return parsed(answer, text, asked);
        const error = refusal(status, text, asked);
        const busy = status === 423 || status === 429;
        if (!busy && (last || !(status === 503 || (repeatable && status >= 500)))) throw error;
        reason = `${status}: ${error.reason}`;
      }
      this.access.onWait?.(reason);
      const longest = Math.min(firstPauseMs * 2 ** attempt, LONGEST_PAUSE_MS);
      // Two Jobs that Neon refuses at once must not ask again at once.
      await pause(longest * (0.5 + Math.random() / 2), undefined, { signal });
    }
  }

  private async once(
    method: string,
    path: string,
    body: object | undefined,
  ): Promise<{ status: number; text: string } | { unreachable: string }> {
    const { endpoint, key, signal } = this.access;
    signal.throwIfAborted();
    try {
      const response = await fetch(`${endpoint}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          accept: "application/json",
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // The key must not be sent to another address.
        redirect: "error",
        signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]),
      });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      signal.throwIfAborted();
      return { unreachable: inWords(error as Error) };
    }
  }
}

function parsed<T>(answer: z.ZodType<T>, text: string, asked: string): T {
  const { success, data, error } = answer.safeParse(text === "" ? {} : json(text));
  if (success) return data;
  const [issue] = error.issues;
  throw new NeonError(200, "", `an answer that is not Neon's (${issue?.path.join(".")}: ${issue?.message})`, asked);
}

function refusal(status: number, text: string, asked: string): NeonError {
  const { success, data } = errorAnswer.safeParse(json(text));
  return success
    ? new NeonError(status, data.code, data.message, asked)
    : new NeonError(status, "", "no reason is given", asked);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Says what broke a request. The error of `fetch` itself says only that it failed. */
function inWords(error: Error): string {
  if (error.name === "TimeoutError") return `no answer within ${REQUEST_MS / 1000} s`;
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return cause.message || (cause as NodeJS.ErrnoException).code || error.message;
}
