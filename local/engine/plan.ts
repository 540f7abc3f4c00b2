import { type Properties, UNKNOWN } from "../cloud/provider";
import { DefaultProviders } from "./default-providers";
import type { Deployment } from "./deployment";
import { differenceOf } from "./difference";
import type { Goal } from "./goal";
import { isImport } from "./import";
import { findOld } from "./old-resource";
import { parsePath, resetPath } from "./property-path";
import { replacementSteps } from "./replacement";
import type { ResourceState } from "./state";
import type { Outcome, Step } from "./step";
import { leaveAlone, refuseMissingNeeds } from "./targeting";
import { createUrn, isProviderType, STACK_TYPE, stackUrn } from "./urn";
import { markSecrets, plainProperties } from "./values";

export type Reply = (outcome: Outcome) => void;

export interface ReadGoal {
  type: string;
  name: string;
  id: string;
  parent: string;
  properties: Properties;
  dependencies: string[];
  provider: string;
  version: string;
  additionalSecretOutputs: string[];
}

/** The registration is not possible; what is wrong has been told already or is in the message. */
export class RegistrationError extends Error {
  constructor(
    message: string,
    readonly urn?: string,
  ) {
    super(message);
  }
}

/**
 * Decides what to do about each registration by comparing it with the state, in the order of
 * pkg/resource/deploy/step_generator.go. Registrations are judged one at a time, as a replacement reaches ahead to
 * resources that are yet to come.
 */
export class Plan {
  /** URNs by what was decided about them. */
  readonly seen = new Set<string>();
  readonly creates = new Set<string>();
  readonly reads = new Set<string>();
  readonly updates = new Set<string>();
  readonly replaces = new Set<string>();
  readonly sames = new Set<string>();
  readonly deletes = new Set<string>();
  /** Resources of the state whose deletion is under way, by identity: a URN may occur twice. */
  readonly condemned = new Set<ResourceState>();
  readonly aliased = new Map<string, string>();
  readonly skippedCreates = new Set<string>();
  private readonly goals = new Map<string, Goal>();
  private readonly providers: DefaultProviders;

  constructor(
    private readonly deployment: Deployment,
    /** Steps that come before others: default providers. */
    runNow: (steps: Step[]) => Promise<void>,
  ) {
    this.providers = new DefaultProviders(deployment, this, runNow);
  }

  /** Nothing in the state is left to decide about it. */
  decided(urn: string): boolean {
    const name = this.aliased.get(urn) ?? urn;
    return [this.sames, this.updates, this.replaces, this.reads].some((set) => set.has(name));
  }

  async register(goal: Goal, reply: Reply): Promise<Step[]> {
    this.inherit(goal);
    if (isProviderType(goal.type) && goal.version !== "")
      goal.properties = { ...goal.properties, version: goal.version };
    const urn = this.claim(goal.parent, goal.type, goal.name);
    const old = findOld(this.deployment, goal, urn, this);
    const next = this.newState(goal, urn, old);
    this.deployment.learn(next);
    if (goal.custom && !isProviderType(goal.type)) {
      this.deployment.provider(goal.type);
      next.provider = goal.provider || (await this.providers.reference(goal.type, goal.version));
    }
    this.goals.set(urn, goal);
    if (!this.deployment.isTarget(urn)) return leaveAlone(this.deployment, this, old, next, reply);
    await this.check(goal, next, this.deletes.has(urn) || old?.external ? undefined : old);
    const steps = await this.decide(goal, old, next, reply);
    refuseMissingNeeds(this.deployment, this, steps);
    return steps;
  }

  async read(goal: ReadGoal, reply: Reply): Promise<Step[]> {
    const urn = this.claim(goal.parent, goal.type, goal.name);
    this.deployment.provider(goal.type);
    const next: ResourceState = {
      urn,
      custom: true,
      id: goal.id || UNKNOWN,
      type: goal.type,
      inputs: goal.properties,
      parent: goal.parent || this.rootParent(goal.type),
      external: true,
      dependencies: goal.dependencies,
      provider: goal.provider || (await this.providers.reference(goal.type, goal.version)),
      additionalSecretOutputs: goal.additionalSecretOutputs,
    };
    const old = this.deployment.snapshot.base.find((resource) => resource.urn === urn && !resource.delete);
    if (old && !old.external && old.id !== goal.id) {
      throw new RegistrationError("reading a thing in place of one that was made is left to the Pulumi CLI", urn);
    }
    this.reads.add(urn);
    return [{ op: "read", urn, old, next, reply }];
  }

  private async decide(goal: Goal, old: ResourceState | undefined, next: ResourceState, reply: Reply): Promise<Step[]> {
    const { urn } = next;
    if (old && this.deletes.delete(urn)) {
      this.replaces.add(urn);
      return [
        { op: "replace", urn, old, next },
        { op: "create-replacement", urn, old, next, reply },
      ];
    }
    if (old?.external) {
      this.creates.add(urn);
      return [
        { op: "create-replacement", urn, old, next, deletesLater: true, reply },
        { op: "replace", urn, old, next },
      ];
    }
    if (isImport(goal, old)) {
      if (old) throw new RegistrationError("importing a thing in place of another is left to the Pulumi CLI", urn);
      this.creates.add(urn);
      return [{ op: "import", urn, next: { ...next, importID: goal.importId }, reply }];
    }
    if (!old) {
      this.creates.add(urn);
      return [{ op: "create", urn, next, reply }];
    }
    const difference = await differenceOf(this.deployment, goal, old, next, this.replaces);
    if (difference.replaces.length > 0 || old.pendingReplacement) {
      return replacementSteps(this.deployment, this, goal, { old, next, difference, reply });
    }
    const { diffs } = difference;
    if (difference.changed || old.initErrors?.length) {
      this.updates.add(urn);
      return [{ op: "update", urn, old, next, diffs, reply }];
    }
    this.sames.add(urn);
    return [{ op: "same", urn, old, next, reply }];
  }

  takenAlong(old: ResourceState): () => boolean {
    return () => old.deletedWith !== undefined && this.deletes.has(old.deletedWith);
  }

  /** Lets the provider judge and complete the inputs; `old` gives it what it filled in last time. */
  async check(goal: Goal, next: ResourceState, old: ResourceState | undefined): Promise<void> {
    let inputs = goal.properties;
    if (old) inputs = this.ignoreChanges(goal, old.inputs ?? {}, next.urn);
    if (!goal.custom || isProviderType(goal.type)) {
      next.inputs = inputs;
      return;
    }
    const { inputs: checked, failures } = await this.deployment.provider(goal.type).check({
      urn: next.urn,
      ...(old ? { olds: plainProperties(old.inputs) } : {}),
      news: plainProperties(inputs),
    });
    for (const { property, reason } of failures) {
      const where = property ? `property ${property} has a problem: ` : "has a problem: ";
      this.deployment.fail(`${goal.type} resource '${goal.name}': ${where}${reason}`, next.urn);
    }
    if (failures.length > 0) throw new RegistrationError("", next.urn);
    next.inputs = markSecrets(checked, inputs);
  }

  private ignoreChanges(goal: Goal, oldInputs: Properties, urn: string): Properties {
    if (goal.ignoreChanges.length === 0) return goal.properties;
    const inputs = structuredClone(goal.properties);
    const missed = goal.ignoreChanges.filter((path) => !resetPath(parsePath(path), oldInputs, inputs));
    if (missed.length > 0) {
      const paths = missed.map((path) => `"${path}"`).join(", ");
      this.deployment.diagnose("info", `cannot ignore changes in added or removed elements of the path: ${paths}`, urn);
    }
    return inputs;
  }

  private claim(parent: string, type: string, name: string): string {
    if (parent !== "" && !this.seen.has(parent))
      throw new RegistrationError(`could not find parent resource ${parent}`);
    const { stack, project } = this.deployment.options;
    const urn = createUrn(stack, project, parent, type, name);
    if (this.seen.has(urn))
      throw new RegistrationError(`Duplicate resource URN '${urn}'; try giving it a unique name`, urn);
    this.seen.add(urn);
    return urn;
  }

  /** Children take these options over from their parent unless they have their own. */
  private inherit(goal: Goal): void {
    const parent = this.goals.get(goal.parent);
    goal.protect ??= parent?.protect;
    goal.retainOnDelete ??= parent?.retainOnDelete;
    goal.deletedWith ||= parent?.deletedWith ?? "";
  }

  private rootParent(type: string): string | undefined {
    const { stack, project } = this.deployment.options;
    const root = stackUrn(stack, project);
    return type !== STACK_TYPE && this.seen.has(root) ? root : undefined;
  }

  private newState(goal: Goal, urn: string, old: ResourceState | undefined): ResourceState {
    return {
      urn,
      custom: goal.custom,
      type: goal.type,
      inputs: goal.properties,
      parent: goal.parent || this.rootParent(goal.type),
      protect: goal.protect,
      dependencies: goal.dependencies,
      propertyDependencies: goal.propertyDependencies,
      additionalSecretOutputs: goal.additionalSecretOutputs,
      aliases: old && old.urn !== urn ? [old.urn] : undefined,
      customTimeouts: goal.customTimeouts,
      retainOnDelete: goal.retainOnDelete,
      deletedWith: goal.deletedWith || undefined,
      created: old?.created,
      modified: old?.modified,
      ignoreChanges: goal.ignoreChanges,
      replaceOnChanges: goal.replaceOnChanges,
      resourceHooks: goal.onError.length > 0 ? { OnError: goal.onError } : undefined,
    };
  }
}
