import { type Properties, UNKNOWN } from "../cloud/provider";
import type { Deployment } from "./deployment";
import { type Difference, differenceOf } from "./difference";
import type { Goal } from "./goal";
import { referencedUrns } from "./graph";
import { isImport } from "./import";
import { findOld } from "./old-resource";
import { parsePath, resetPath } from "./property-path";
import { dependentReplacements } from "./replacement";
import type { ResourceState } from "./state";
import type { Outcome, Step } from "./step";
import { createUrn, isProviderType, packageOf, providerType, STACK_TYPE, stackUrn } from "./urn";
import { markSecrets, plainProperties, sameValue } from "./values";

type Reply = (outcome: Outcome) => void;

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
  private readonly skippedCreates = new Set<string>();
  private readonly goals = new Map<string, Goal>();
  private readonly providers = new Map<string, string>();

  constructor(
    private readonly deployment: Deployment,
    /** Steps that come before others: default providers. */
    private readonly runNow: (steps: Step[]) => Promise<void>,
  ) {}

  /** Nothing in the state is left to decide about it. */
  decided(urn: string): boolean {
    const name = this.aliased.get(urn) ?? urn;
    return [this.sames, this.updates, this.replaces, this.reads].some((set) => set.has(name));
  }

  async register(goal: Goal, reply: Reply): Promise<Step[]> {
    this.inherit(goal);
    const urn = this.claim(goal.parent, goal.type, goal.name);
    const old = findOld(this.deployment, goal, urn, this);
    const next = this.newState(goal, urn, old);
    this.deployment.learn(next);
    if (goal.custom && !isProviderType(goal.type)) {
      this.deployment.provider(goal.type);
      next.provider = goal.provider || (await this.defaultProvider(goal.type, goal.version));
    }
    this.goals.set(urn, goal);
    const targeted = this.deployment.isTarget(urn);
    if (!targeted) return this.leaveAlone(old, next, reply);
    await this.check(goal, next, this.deletes.has(urn) || old?.external ? undefined : old);
    const steps = await this.decide(goal, old, next, reply);
    this.refuseUntargetedNeeds(steps);
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
      provider: goal.provider || (await this.defaultProvider(goal.type, goal.version)),
      additionalSecretOutputs: goal.additionalSecretOutputs,
    };
    const old = this.deployment.snapshot.base.find((resource) => resource.urn === urn && !resource.delete);
    if (old && !old.external && old.id !== goal.id) {
      this.replaces.add(urn);
      return [
        { op: "read-replacement", urn, old, next, reply },
        { op: "replace", urn, old, next },
      ];
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
      return this.replace(goal, old, next, difference, reply);
    }
    const { diffs } = difference;
    if (difference.changed || old.initErrors?.length) {
      this.updates.add(urn);
      return [{ op: "update", urn, old, next, diffs, reply }];
    }
    this.sames.add(urn);
    return [{ op: "same", urn, old, next, reply }];
  }

  private async replace(goal: Goal, old: ResourceState, next: ResourceState, difference: Difference, reply: Reply) {
    const { urn } = next;
    if (old.protect && next.protect) {
      const message =
        `unable to replace resource "${urn}" as it is currently marked for protection. ` +
        "Remove `protect` from it in the program and run `up`; then it can be replaced.";
      if (!this.deployment.preview) throw new RegistrationError(message, urn);
      this.deployment.fail(message, urn);
    }
    this.replaces.add(urn);
    // The inputs were made to fit the old resource; a new one gets defaults of its own.
    await this.check(goal, next, undefined);
    const { diffs, replaces } = difference;
    const deletesFirst = goal.deleteBeforeReplace ?? difference.deleteBeforeReplace;
    if (!deletesFirst) {
      const deletesLater = !old.pendingReplacement;
      return [
        { op: "create-replacement", urn, old, next, diffs, replaces, deletesLater, reply },
        { op: "replace", urn, old, next, diffs, replaces },
      ] satisfies Step[];
    }
    const steps: Step[] = [];
    for (const dependent of (await dependentReplacements(this.deployment, this, old)).reverse()) {
      if (this.condemned.has(dependent)) continue;
      if (dependent.protect && !dependent.delete) {
        throw new RegistrationError(
          `unable to replace resource "${dependent.urn}" as part of replacing "${urn}" as it is currently marked for ` +
            "protection. Remove `protect` from it in the program and run `up`; then it can be replaced.",
          dependent.urn,
        );
      }
      steps.push(this.deletion(dependent, !dependent.delete));
    }
    if (!old.pendingReplacement) steps.push({ ...this.deletion(old, true), diffs, replaces });
    steps.push({ op: "replace", urn, old, next, diffs, replaces });
    steps.push({ op: "create-replacement", urn, old, next, diffs, replaces, reply });
    return steps;
  }

  /** Deletes a resource of the state ahead of its replacement, which is to follow in this run or the next. */
  private deletion(old: ResourceState, createsLater: boolean): Step {
    this.condemned.add(old);
    this.deletes.add(old.urn);
    const op = old.external ? "discard-replaced" : createsLater ? "delete-replaced" : "delete";
    return { op, urn: old.urn, old, createsLater, takenAlong: this.takenAlong(old) };
  }

  takenAlong(old: ResourceState): () => boolean {
    return () => old.deletedWith !== undefined && this.deletes.has(old.deletedWith);
  }

  /** Without being a target, a resource stays as it is, or is not created; what it needs stays with it. */
  private leaveAlone(old: ResourceState | undefined, next: ResourceState, reply: Reply): Step[] {
    const { urn } = next;
    if (old) return this.keepWithNeeds(old, reply);
    this.sames.add(urn);
    this.skippedCreates.add(urn);
    return [{ op: "same", urn, next, skippedCreate: true, reply }];
  }

  /** In the state a resource stands behind all it needs, so that has to be confirmed first, also what is no longer in the program. */
  private keepWithNeeds(old: ResourceState, reply?: Reply): Step[] {
    if (old.delete) return [];
    this.seen.add(old.urn);
    this.sames.add(old.urn);
    const needs = this.deployment.snapshot.base.filter(
      (resource) =>
        referencedUrns(old).has(resource.urn) && !this.decided(resource.urn) && !this.creates.has(resource.urn),
    );
    const steps = needs.flatMap((resource) => this.keepWithNeeds(resource));
    return [...steps, { op: "same", urn: old.urn, old, next: { ...old }, reply }];
  }

  private refuseUntargetedNeeds(steps: Step[]): void {
    if (this.skippedCreates.size === 0) return;
    for (const { urn, next } of steps) {
      if (!next || next.type === STACK_TYPE) continue;
      for (const need of referencedUrns(next)) {
        if (!this.skippedCreates.has(need)) continue;
        const message = `Resource '${urn}' depends on '${need}' which was not specified in --target list.`;
        if (!this.deployment.preview) throw new RegistrationError(message, urn);
        this.deployment.fail(message, urn);
        this.skippedCreates.delete(need);
      }
    }
  }

  /** Lets the provider judge and complete the inputs; `old` gives it what it filled in last time. */
  private async check(goal: Goal, next: ResourceState, old: ResourceState | undefined): Promise<void> {
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
      replacementTrigger: goal.replacementTrigger,
    };
  }

  /** Registers the provider that resources use unless they name one, and gives its reference. */
  private async defaultProvider(type: string, version: string): Promise<string> {
    const name = packageOf(type);
    const title = version === "" ? "default" : `default_${version.replace(/[.+-]/g, "_")}`;
    const { stack, project } = this.deployment.options;
    const urn = createUrn(stack, project, "", providerType(name), title);
    const known = this.providers.get(urn);
    if (known !== undefined) return known;
    this.seen.add(urn);
    const inputs = { ...this.deployment.providerConfig(name), ...(version === "" ? {} : { version }) };
    const next: ResourceState = { urn, custom: true, type: providerType(name), inputs };
    const old = this.deployment.snapshot.base.find((resource) => resource.urn === urn && !resource.delete);
    const op = !old ? "create" : sameValue(old.inputs, inputs) ? "same" : "update";
    (op === "create" ? this.creates : op === "same" ? this.sames : this.updates).add(urn);
    await this.runNow([{ op, urn, old, next }]);
    const reference = `${urn}::${next.id}`;
    this.providers.set(urn, reference);
    return reference;
  }
}
