import { randomBytes, randomUUID } from "node:crypto";
import { readJson, writeAtomically } from "../../../text/atomic";
import { systemErrorInWords } from "../../system-error";
import type { Fault } from "../aws/faults";

/** An error that the stand-in answers with, with Neon's codes. */
export class NeonRefusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** A branch as it is kept. */
export interface Branch {
  id: string;
  name: string;
  parent_id?: string;
  parent_lsn?: string;
  parent_timestamp?: string;
  current_state: "init" | "ready";
  created_at: string;
  default: boolean;
  protected: boolean;
  annotation: Record<string, string>;
  /** Where its data is; undefined until it is ready. */
  data?: string;
}

/** A compute as it is kept. */
export interface Endpoint {
  id: string;
  branch_id: string;
  type: "read_write";
  /** The server of the local cloud that it is. */
  server: string;
  /** What was asked for besides, such as its size. It changes nothing here. */
  settings: Record<string, unknown>;
}

/** A step that was begun by a request. */
export interface Operation {
  id: string;
  action: string;
  branch_id: string;
  status: "running" | "finished" | "failed";
  error?: string;
}

/** What a project keeps in its file. */
export interface ProjectState {
  project: string;
  branches: Branch[];
  endpoints: Endpoint[];
  operations: Operation[];
}

/** What makes the data of branches, and the servers that are connected to. */
export interface NeonData {
  /** Copies the data of a branch as it is now. @returns where the copy is, and the place in the parent's log */
  copy(parent: Branch, server: string | undefined, id: string): Promise<{ data: string; lsn?: string | undefined }>;
  /** Copies the data of a branch as it was at a moment. @throws if that can't be had */
  copyOfMoment(server: string, moment: Date, branch: Branch): Promise<{ data: string; lsn?: undefined }>;
  /** Starts a server with a branch's data. @returns its name */
  start(data: string, branch: Branch): Promise<string>;
  /** The address of a server. */
  host(server: string): string;
  /** Removes a server, and data that no branch has any more. */
  removeServer(server: string): Promise<void>;
  removeData(data: string): Promise<void>;
}

/** The branches that a project may have, as in Neon's free plan: https://neon.com/docs/introduction/plans. */
const BRANCH_LIMIT = 10;

/** One project of the stand-in. Each change is written before it is told. */
export class NeonProject {
  constructor(
    private readonly file: string,
    private readonly cloud: NeonData,
    private readonly hasFault: (fault: Fault) => boolean = () => false,
  ) {}

  /** Makes the project with its first branch and the compute of it, if it is missing. */
  ensure(project: string, server: string): void {
    if (readJson(this.file)) return;
    const branch = { ...newBranch("production", {}), default: true, current_state: "ready" as const, data: server };
    const endpoints = [newEndpoint(branch.id, server, COMPUTE)];
    this.write({ project, branches: [branch], endpoints, operations: [] });
  }

  read(): ProjectState {
    const state = readJson<ProjectState>(this.file);
    if (!state) throw new NeonRefusal(404, "PROJECT_NOT_FOUND", "project not found");
    return state;
  }

  branch(id: string): Branch {
    const found = this.read().branches.find((each) => each.id === id);
    if (!found) throw new NeonRefusal(404, "BRANCH_NOT_FOUND", "branch not found");
    return found;
  }

  operation(id: string): Operation {
    const found = this.read().operations.find((each) => each.id === id);
    if (!found) throw new NeonRefusal(404, "OPERATION_NOT_FOUND", "operation not found");
    return found;
  }

  host(endpoint: Endpoint): string {
    return this.cloud.host(endpoint.server);
  }

  /** Begins to make a branch, and its compute if one is wanted. */
  createBranch(wanted: {
    branch?: { name?: string; parent_id?: string; parent_timestamp?: string };
    annotation_value?: Record<string, string>;
    endpoints?: Record<string, unknown>[];
  }): { branch: Branch; operations: Operation[] } {
    const state = this.read();
    this.refuseWhenBusy(state);
    const { name = `br-${suffix()}`, parent_id, parent_timestamp } = wanted.branch ?? {};
    const parent = state.branches.find((each) => (parent_id === undefined ? each.default : each.id === parent_id));
    if (!parent) throw new NeonRefusal(404, "BRANCH_NOT_FOUND", "parent branch not found");
    if (state.branches.some((each) => each.name === name))
      throw new NeonRefusal(409, "BRANCH_ALREADY_EXISTS", `branch with name ${name} already exists`);
    if (state.branches.length >= BRANCH_LIMIT || this.hasFault("neon-branch-limit"))
      throw new NeonRefusal(422, "BRANCHES_LIMIT_EXCEEDED", `branches limit exceeded, limit: ${BRANCH_LIMIT}`);
    const branch: Branch = {
      ...newBranch(name, wanted.annotation_value ?? {}),
      parent_id: parent.id,
      ...(parent_timestamp === undefined ? {} : { parent_timestamp }),
    };
    const [compute] = wanted.endpoints ?? [];
    const operations = [
      operation("create_branch", branch.id),
      ...(compute ? [operation("start_compute", branch.id)] : []),
    ];
    this.write({ ...state, branches: [...state.branches, branch], operations: [...operations, ...state.operations] });
    void this.fill(branch, parent, operations, compute);
    return { branch, operations };
  }

  updateBranch(id: string, { name, protected: isProtected }: { name?: string; protected?: boolean }): void {
    const state = this.read();
    this.refuseWhenBusy(state);
    this.branch(id);
    this.change(id, {
      ...(name === undefined ? {} : { name }),
      ...(isProtected === undefined ? {} : { protected: isProtected }),
    });
  }

  /** Begins to start a compute for a branch that has none. */
  createEndpoint({ branch_id, ...settings }: Record<string, unknown>): { endpoint: Endpoint; operations: Operation[] } {
    const state = this.read();
    this.refuseWhenBusy(state);
    const branch = this.branch(String(branch_id));
    if (state.endpoints.some((each) => each.branch_id === branch.id))
      throw new NeonRefusal(409, "ENDPOINT_ALREADY_EXISTS", "branch already has a read-write endpoint");
    const starting = operation("start_compute", branch.id);
    this.write({ ...state, operations: [starting, ...state.operations] });
    void this.startCompute(branch.id, starting, settings);
    return { endpoint: newEndpoint(branch.id, "", settings), operations: [starting] };
  }

  /** Begins to delete a branch with its computes. */
  deleteBranch(id: string): Operation[] {
    const state = this.read();
    this.refuseWhenBusy(state);
    const branch = state.branches.find((each) => each.id === id);
    if (!branch) return [];
    if (branch.default || branch.protected)
      throw new NeonRefusal(422, "BRANCH_IS_PROTECTED", "cannot delete the default branch or a protected one");
    if (state.branches.some((each) => each.parent_id === id))
      throw new NeonRefusal(422, "BRANCH_HAS_CHILDREN", "cannot delete branch that has children");
    const deleting = operation("delete_timeline", id);
    this.write({ ...state, operations: [deleting, ...state.operations] });
    void this.carryOut([deleting], async () => {
      for (const { server } of state.endpoints.filter((each) => each.branch_id === id))
        await this.cloud.removeServer(server);
      const now = this.read();
      const branches = now.branches.filter((each) => each.id !== id);
      this.write({ ...now, branches, endpoints: now.endpoints.filter((each) => each.branch_id !== id) });
      if (branch.data !== undefined && !branches.some(({ data }) => data === branch.data))
        await this.cloud.removeData(branch.data);
    });
    return [deleting];
  }

  /** Refuses a change while another one is made, because Neon makes one at a time. @throws NeonRefusal */
  private refuseWhenBusy({ operations }: ProjectState): void {
    if (operations.some(({ status }) => status === "running") || this.hasFault("neon-locked"))
      throw new NeonRefusal(
        423,
        "",
        "project already has running conflicting operations, scheduling of new ones is prohibited",
      );
  }

  private async fill(
    branch: Branch,
    parent: Branch,
    [copying, starting]: readonly Operation[],
    compute: Record<string, unknown> = {},
  ): Promise<void> {
    const server = this.read().endpoints.find((each) => each.branch_id === parent.id)?.server;
    await this.carryOut([copying!], async () => {
      if (this.hasFault("neon-breaks")) throw new Error("Provoked by the fault `neon-breaks`.");
      const { parent_timestamp: moment } = branch;
      if (moment !== undefined && server === undefined) throw new Error(`${parent.name} has no history here`);
      const made =
        moment === undefined
          ? await this.cloud.copy(parent, server, branch.id)
          : await this.cloud.copyOfMoment(server!, new Date(moment), branch);
      const at = made.lsn === undefined ? {} : { parent_lsn: made.lsn };
      this.change(branch.id, { data: made.data, ...at, current_state: "ready" });
    });
    if (starting && this.branch(branch.id).data !== undefined) await this.startCompute(branch.id, starting, compute);
  }

  private async startCompute(id: string, starting: Operation, settings: Record<string, unknown>): Promise<void> {
    await this.carryOut([starting], async () => {
      const branch = this.branch(id);
      if (branch.data === undefined) throw new Error(`${branch.name} has no data`);
      const server = await this.cloud.start(branch.data, branch);
      const now = this.read();
      this.write({ ...now, endpoints: [...now.endpoints, newEndpoint(id, server, settings)] });
    });
  }

  /** Carries out operations, and says how they ended. */
  private async carryOut(operations: readonly Operation[], work: () => Promise<void>): Promise<void> {
    let change: Pick<Operation, "status" | "error">;
    try {
      await work();
      change = { status: "finished" };
    } catch (error) {
      change = { status: "failed", error: systemErrorInWords(error) ?? (error as Error).message };
    }
    const state = this.read();
    const ended = (each: Operation) => (operations.some(({ id }) => id === each.id) ? { ...each, ...change } : each);
    this.write({ ...state, operations: state.operations.map(ended) });
  }

  private change(id: string, change: Partial<Branch>): void {
    const state = this.read();
    const branches = state.branches.map((each) => (each.id === id ? { ...each, ...change } : each));
    this.write({ ...state, branches });
  }

  private write(state: ProjectState): void {
    writeAtomically(this.file, JSON.stringify(state, null, 2));
  }
}

function newBranch(name: string, annotation: Record<string, string>): Branch {
  const created_at = new Date().toISOString();
  const id = `br-local-${suffix()}`;
  return { id, name, annotation, created_at, current_state: "init", default: false, protected: false };
}

/** What a compute has if nothing else is asked for. */
const COMPUTE = { autoscaling_limit_min_cu: 0.25, autoscaling_limit_max_cu: 2, suspend_timeout_seconds: 0 };

function newEndpoint(branch_id: string, server: string, settings: Record<string, unknown>): Endpoint {
  const { type: _, ...asked } = settings;
  return { id: `ep-local-${suffix()}`, branch_id, type: "read_write", server, settings: { ...COMPUTE, ...asked } };
}

function operation(action: string, branch: string): Operation {
  return { id: randomUUID(), action, branch_id: branch, status: "running" };
}

function suffix(): string {
  return randomBytes(4).toString("hex");
}
