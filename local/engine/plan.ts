import { type Properties, UNKNOWN } from "../cloud/provider";
import { checkInputs } from "./check-inputs";
import { Decisions, RegistrationError, type Reply } from "./decisions";
import { DefaultProviders, defaultProviderDenied } from "./default-providers";
import type { Deployment } from "./deployment";
import { differenceOf } from "./difference";
import type { Goal } from "./goal";
import { isImport } from "./import";
import { findOld } from "./old-resource";
import { replacementSteps } from "./replacement";
import type { ResourceState } from "./state";
import type { Step } from "./step";
import { createUrn, isProviderType, STACK_TYPE, stackUrn } from "./urn";

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

/**
 * Decides on the steps of each registration by comparing it with the state, in the order of
 * pkg/resource/deploy/step_generator.go. Registrations are handled one at a time, because a replacement can also decide
 * about resources that are registered later.
 */
export class Plan extends Decisions {
  private readonly goals = new Map<string, Goal>();
  private readonly providers: DefaultProviders;

  constructor(
    private readonly deployment: Deployment,
    /** Runs steps that must come before the registration's own: the creation of default providers. */
    runNow: (steps: Step[]) => Promise<void>,
  ) {
    super();
    this.providers = new DefaultProviders(deployment, this, runNow);
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
      next.provider = goal.provider || (await this.providerOf(goal.type, goal.version, urn));
    }
    this.goals.set(urn, goal);
    await checkInputs(this.deployment, goal, next, this.deletes.has(urn) || old?.external ? undefined : old);
    return this.decide(goal, old, next, reply);
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
      provider: goal.provider || (await this.providerOf(goal.type, goal.version, goal.type)),
      additionalSecretOutputs: goal.additionalSecretOutputs,
    };
    const old = this.deployment.snapshot.base.find((resource) => resource.urn === urn && !resource.delete);
    if (old && !old.external && old.id !== goal.id) {
      throw new RegistrationError("reading a thing in place of one that was made is left to the Pulumi CLI", urn);
    }
    this.reads.add(urn);
    return [{ op: "read", urn, old, next, reply }];
  }

  /**
   * Returns the reference of a package's default provider, which is created when it is first needed.
   * @param user the resource or function that needs it
   * @throws RegistrationError when the stack's configuration disables it
   */
  async providerOf(token: string, version: string, user: string): Promise<string> {
    const reference = await this.providers.reference(token, version);
    if (reference === undefined) throw new RegistrationError(defaultProviderDenied(token, user));
    return reference;
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

  /** A resource takes these options from its parent unless it has its own. */
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
