import { isDeepStrictEqual } from "node:util";
import {
  type CheckRequest,
  type CheckResult,
  type CreateRequest,
  type CreateResult,
  type DeleteRequest,
  type DiffRequest,
  type DiffResult,
  InitError,
  type InvokeRequest,
  type Json,
  type Properties,
  type Provider,
  type ReadRequest,
  type ReadResult,
  UNKNOWN,
  type UpdateRequest,
} from "../../../local/cloud/provider";

type Trouble = "fails" | "unhealthy";

/**
 * A cloud in memory that writes down what it is asked to do. Inputs whose name begins with "force" can't be changed in
 * place; resources of type Single must be deleted before another of the name is created.
 */
export class FakeProvider implements Provider {
  /** What was done to the cloud, "create a" or "update a"; looking at it is not in the list. */
  readonly calls: string[] = [];
  readonly things = new Map<string, Properties>();
  readonly requests: Record<string, CreateRequest> = {};
  /** By call; the trouble stays until it is taken out. */
  readonly trouble = new Map<string, Trouble>();
  private readonly held = new Map<string, Promise<void>>();
  private readonly watchers: (() => void)[] = [];
  private made = 0;

  /** Lets a call begin but not end until the returned function is called. */
  hold(call: string): () => void {
    let release = () => {};
    this.held.set(call, new Promise((resolve) => (release = resolve)));
    return release;
  }

  /** Waits until a call has begun. */
  async begun(call: string): Promise<void> {
    while (!this.calls.includes(call)) await new Promise<void>((resolve) => this.watchers.push(resolve));
  }

  configure({ account }: Properties): Provider {
    if (account === "wrong") throw new Error("this account is not allowed");
    return this;
  }

  async check({ news }: CheckRequest): Promise<CheckResult> {
    const failures = news["wrong"] === undefined ? [] : [{ property: "wrong", reason: "is not right" }];
    return { inputs: { zone: "a", ...news }, failures };
  }

  async diff({ urn, oldInputs, news }: DiffRequest): Promise<DiffResult> {
    const keys = [...new Set([...Object.keys(oldInputs), ...Object.keys(news)])];
    const diffs = keys.filter((key) => !isDeepStrictEqual(oldInputs[key], news[key]));
    const replaces = diffs.filter((key) => key.startsWith("force"));
    const deleteBeforeReplace = urn.includes(":Single::");
    return { changes: diffs.length > 0 ? "some" : "none", diffs, replaces, deleteBeforeReplace };
  }

  async create(request: CreateRequest): Promise<CreateResult> {
    const { urn, inputs, preview } = request;
    if (preview) return { id: "", outputs: { ...inputs, address: UNKNOWN } };
    const name = nameOf(urn);
    this.requests[name] = request;
    this.made += 1;
    const id = `${name}-${this.made}`;
    const outputs = { ...inputs, address: `${id}.example` };
    await this.act(`create ${name}`, id, outputs);
    this.things.set(id, outputs);
    return { id, outputs };
  }

  async update({ urn, id, inputs, olds, preview }: UpdateRequest): Promise<Properties> {
    const outputs = { ...inputs, address: olds["address"] ?? null };
    if (preview) return outputs;
    await this.act(`update ${nameOf(urn)}`, id, outputs);
    this.things.set(id, outputs);
    return outputs;
  }

  async read({ id, inputs }: ReadRequest): Promise<ReadResult | undefined> {
    const outputs = this.things.get(id);
    if (!outputs) return undefined;
    // An import knows no inputs yet, and is told all that a program could have set.
    const { address: _, ...settable } = outputs;
    const keys = Object.keys(inputs).length > 0 ? Object.keys(inputs) : Object.keys(settable);
    const seen = Object.fromEntries(keys.map((key) => [key, outputs[key] as Json]));
    return { id, inputs: seen, outputs };
  }

  async delete({ urn, id }: DeleteRequest): Promise<void> {
    await this.act(`delete ${nameOf(urn)}`, id, {});
    this.things.delete(id);
  }

  async invoke({ token, args }: InvokeRequest): Promise<Properties> {
    if (args["wrong"]) throw new Error("there is no such thing");
    return { token, echo: args["word"] ?? null };
  }

  private async act(call: string, id: string, outputs: Properties): Promise<void> {
    this.calls.push(call);
    for (const wake of this.watchers.splice(0)) wake();
    await this.held.get(call);
    const trouble = this.trouble.get(call);
    if (trouble === "fails") throw new Error(`the cloud refused to ${call}`);
    if (trouble === "unhealthy") {
      this.things.set(id, outputs);
      throw new InitError(id, outputs, [`${call}: it never became ready`]);
    }
  }
}

function nameOf(urn: string): string {
  return urn.split("::").at(-1) as string;
}
