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

  /**
   * Returns the provider's reference, `URN::ID`; undefined if the stack's configuration disables the default provider
   * of this package.
   * @throws Error when that configuration is not a list of texts
   */
  async reference(type: string, version: string): Promise<string | undefined> {
    const name = packageOf(type);
    if (name !== "pulumi" && isDisabled(name, this.deployment.options.config[DISABLED])) return undefined;
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

/** The key of Pulumi's configuration that lists the packages whose resources and functions must name a provider. */
const DISABLED = "pulumi:disable-default-providers";

/** Reads the list as the CLI does (pkg/resource/deploy/default_providers.go, `shouldDenyRequest`). */
function isDisabled(name: string, text = ""): boolean {
  if (text === "") return false;
  let listed: unknown;
  try {
    listed = JSON.parse(text);
  } catch (error) {
    throw new Error(`Failed to parse ${text}: ${(error as Error).message}`);
  }
  if (!Array.isArray(listed)) throw new Error(`Failed to parse ${text}: it is no list`);
  const wrong = listed.findIndex((each) => typeof each !== "string");
  if (wrong >= 0) throw new Error(`${DISABLED}[${wrong}] must be a string`);
  return listed.some((each) => ["*", name].includes(String(each).trim()));
}

/** The CLI's words for a resource or function that must name a provider (sdk/go/common/diag/errors.go, 2015). */
export function defaultProviderDenied(token: string, user: string): string {
  return `Default provider for '${packageOf(token)}' disabled. '${user}' must use an explicit provider.`;
}
