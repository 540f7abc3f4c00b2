import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Fault } from "../aws/faults";
import { type Branch, type Endpoint, type NeonProject, NeonRefusal, type Operation } from "./project";

/** What a request is answered with. */
export interface NeonSurroundings {
  /** The API key that is asked for. */
  readonly key: string;
  /** Returns the project of this id. @throws NeonRefusal if there is none */
  project(id: string): NeonProject;
  hasFault(fault: Fault): boolean;
}

interface Asked {
  readonly id: string;
  readonly project: NeonProject;
  readonly part: string;
  readonly query: URLSearchParams;
  readonly body: object;
}

/**
 * Answers a request as Neon's API does, as far as backups need it: https://api-docs.neon.tech. It is a stand-in: the
 * shapes are those of Neon's OpenAPI file, the data of branches is that of real servers, and nothing else of Neon is
 * behind it.
 */
export async function answerNeon(
  { key, project, hasFault }: NeonSurroundings,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    if (!isAllowed(request, key) || hasFault("neon-refuses"))
      throw new NeonRefusal(401, "", "supplied credentials do not pass authentication");
    if (hasFault("neon-rate-limit")) throw new NeonRefusal(429, "", "too many requests");
    const { pathname, searchParams: query } = new URL(request.url ?? "/", "http://localhost");
    const [, id, kind = "", part = ""] =
      /\/projects\/([^/]+)(?:\/([a-z]+))?(?:\/([^/]+))?$/.exec(decodeURIComponent(pathname)) ?? [];
    const route = ROUTES[`${request.method} ${kind}${part === "" ? "" : "/"}`];
    if (id === undefined || !route) throw new NeonRefusal(404, "", "this stand-in does not know this request");
    const { status, body } = route({ id, project: project(id), part, query, body: await readBody(request) });
    reply(response, status, body);
  } catch (error) {
    if (!(error instanceof NeonRefusal)) throw error;
    reply(response, error.status, { request_id: "local", code: error.code, message: error.message });
  }
}

/** The seconds for which a project keeps the history of its branches: six hours, as in Neon's free plan. */
const HISTORY_SECONDS = 21_600;

type Answer = { status: number; body: object };

const ROUTES: Readonly<Record<string, (asked: Asked) => Answer>> = {
  "GET branches": ({ id, project, query }) => {
    const search = query.get("search") ?? "";
    const found = project.read().branches.filter((each) => each.name.includes(search) || each.id.includes(search));
    const noted = found.filter(({ annotation }) => Object.keys(annotation).length > 0);
    return ok({
      branches: found.map((each) => shownBranch(id, each)),
      annotations: Object.fromEntries(noted.map((each) => [each.id, shownAnnotation(each)])),
      pagination: {},
    });
  },
  "POST branches": ({ id, project, body }) => {
    const { branch, operations } = project.createBranch(body);
    const shown = { branch: shownBranch(id, branch), operations: operations.map((each) => shownOperation(id, each)) };
    return { status: 201, body: { ...shown, endpoints: [], roles: [], databases: [] } };
  },
  "GET branches/": ({ id, project, part }) => {
    const branch = project.branch(part);
    return ok({ branch: shownBranch(id, branch), annotation: shownAnnotation(branch) });
  },
  "PATCH branches/": ({ id, project, part, body }) => {
    project.updateBranch(part, (body as { branch: { name?: string; protected?: boolean } }).branch);
    return ok({ branch: shownBranch(id, project.branch(part)), operations: [] });
  },
  "DELETE branches/": ({ id, project, part }) => {
    const branch = project.read().branches.find((each) => each.id === part);
    if (!branch) return { status: 204, body: {} };
    const operations = project.deleteBranch(part).map((each) => shownOperation(id, each));
    return ok({ branch: shownBranch(id, branch), operations });
  },
  "GET endpoints": ({ id, project }) =>
    ok({ endpoints: project.read().endpoints.map((each) => shownEndpoint(id, each, project.host(each))) }),
  "POST endpoints": ({ id, project, body }) => {
    const made = project.createEndpoint((body as { endpoint: Record<string, unknown> }).endpoint);
    const operations = made.operations.map((each) => shownOperation(id, each));
    return { status: 201, body: { endpoint: shownEndpoint(id, made.endpoint, ""), operations } };
  },
  "GET ": ({ id, project }) => {
    project.read();
    return ok({ project: { id, name: id, history_retention_seconds: HISTORY_SECONDS } });
  },
  "GET operations/": ({ id, project, part }) => ok({ operation: shownOperation(id, project.operation(part)) }),
};

function ok(body: object): Answer {
  return { status: 200, body };
}

function shownBranch(project_id: string, { annotation: _, data: __, ...branch }: Branch): object {
  return { ...branch, project_id, state_changed_at: branch.created_at, creation_source: "local" };
}

function shownAnnotation({ id, annotation, created_at }: Branch): object {
  return { object: { type: "console/branch", id }, value: annotation, created_at };
}

function shownOperation(project_id: string, operation: Operation): object {
  return { ...operation, project_id, failures_count: operation.status === "failed" ? 1 : 0 };
}

function shownEndpoint(project_id: string, { server: _, settings, ...endpoint }: Endpoint, host: string): object {
  return { ...settings, ...endpoint, project_id, host, current_state: "active" };
}

function isAllowed({ headers }: IncomingMessage, key: string): boolean {
  const given = Buffer.from(headers.authorization ?? "");
  const wanted = Buffer.from(`Bearer ${key}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

async function readBody(request: IncomingMessage): Promise<object> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString("utf8")) as object);
}

function reply(response: ServerResponse, status: number, body: object): void {
  response
    .writeHead(status, { "content-type": "application/json" })
    .end(status === 204 ? undefined : JSON.stringify(body));
}
