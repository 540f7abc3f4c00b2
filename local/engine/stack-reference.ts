import { randomUUID } from "node:crypto";
import type {
  CheckRequest,
  CheckResult,
  CreateRequest,
  CreateResult,
  DiffRequest,
  DiffResult,
  InvokeRequest,
  Json,
  Properties,
  Provider,
  ReadRequest,
  ReadResult,
} from "../cloud/provider";
import { loadState, stackDirectory } from "./state";
import { stackUrn } from "./urn";
import { containsSecret, isSecret, sameValue } from "./values";

/** The engine's own provider `pulumi`. It reads outputs of other stacks from the same state directory. */
export class StackReferences implements Provider {
  constructor(
    private readonly stateDir: string,
    private readonly project: string,
    private readonly learnSecret: (content: Json) => void,
  ) {}

  async check({ urn, news }: CheckRequest): Promise<CheckResult> {
    if (!urn.includes("pulumi:pulumi:StackReference::")) throw new Error(`unrecognized resource type of ${urn}`);
    const failures = typeof news["name"] === "string" ? [] : [{ property: "name", reason: "must be a string" }];
    return { inputs: news, failures };
  }

  async diff({ oldInputs, news }: DiffRequest): Promise<DiffResult> {
    const same = sameValue(oldInputs["name"], news["name"]);
    const changed = same ? [] : ["name"];
    return { changes: same ? "none" : "some", diffs: changed, replaces: changed, deleteBeforeReplace: false };
  }

  async create({ inputs }: CreateRequest): Promise<CreateResult> {
    return { id: randomUUID(), outputs: this.outputsOf(String(inputs["name"])) };
  }

  async update(): Promise<Properties> {
    throw new Error("a StackReference can't be updated");
  }

  async read({ id, inputs }: ReadRequest): Promise<ReadResult> {
    const name = typeof inputs["name"] === "string" ? inputs["name"] : id;
    return { id, inputs, outputs: this.outputsOf(name) };
  }

  async delete(): Promise<void> {}

  async invoke({ token, args }: InvokeRequest): Promise<Properties> {
    if (token === "pulumi:pulumi:readStackOutputs") return this.outputsOf(String(args["name"]));
    throw new Error(`unrecognized function name: '${token}'`);
  }

  /**
   * Behaves as the CLI's: a stack without resources has no outputs.
   * @throws Error `unknown stack` when the stack does not exist
   */
  private outputsOf(name: string): Properties {
    const parts = name.split("/");
    const stack = parts.at(-1) as string;
    const project = parts.length > 1 ? (parts.at(-2) as string) : this.project;
    if (parts.length > 3 || (parts.length === 3 && parts[0] !== "organization")) {
      throw new Error(`"${name}" is no stack: write organization/PROJECT/STACK, PROJECT/STACK or STACK`);
    }
    const state = loadState(stackDirectory(this.stateDir, project, stack));
    if (!state) throw new Error(`unknown stack "${name}"`);
    const root = state.resources.find((resource) => resource.urn === stackUrn(stack, project) && !resource.delete);
    const outputs = root?.outputs ?? {};
    for (const value of Object.values(outputs)) if (isSecret(value)) this.learnSecret(value.value);
    const secretOutputNames = Object.keys(outputs).filter((key) => containsSecret(outputs[key] as Json));
    return { name, outputs, secretOutputNames: secretOutputNames.sort() };
  }
}
