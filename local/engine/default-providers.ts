import type { Decisions } from "./decisions";
import type { Deployment } from "./deployment";
import type { ResourceState } from "./state";
import type { Step } from "./step";
import { createUrn, packageOf, providerType } from "./urn";
import { sameValue } from "./values";

/** The providers of resources that name none: one per package and SDK version, created when first needed. */
export class DefaultProviders {
  private readonly references = new Map<string, string>();

  constructor(
    private readonly deployment: Deployment,
    private readonly plan: Decisions,
    private readonly runNow: (steps: Step[]) => Promise<void>,
  ) {}

  /** Returns the provider's reference, `URN::ID`. */
  async reference(type: string, version: string): Promise<string> {
    const name = packageOf(type);
    const title = version === "" ? "default" : `default_${version.replace(/[.+-]/g, "_")}`;
    const { stack, project } = this.deployment.options;
    const urn = createUrn(stack, project, "", providerType(name), title);
    const known = this.references.get(urn);
    if (known !== undefined) return known;
    const inputs = { ...this.deployment.providerConfig(name), ...(version === "" ? {} : { version }) };
    const next: ResourceState = { urn, custom: true, type: providerType(name), inputs };
    const old = this.deployment.snapshot.base.find((resource) => resource.urn === urn && !resource.delete);
    const op = !old ? "create" : sameValue(old.inputs, inputs) ? "same" : "update";
    const { creates, sames, updates, seen } = this.plan;
    seen.add(urn);
    ({ create: creates, same: sames, update: updates })[op].add(urn);
    await this.runNow([{ op, urn, old, next }]);
    const reference = `${urn}::${next.id}`;
    this.references.set(urn, reference);
    return reference;
  }
}
