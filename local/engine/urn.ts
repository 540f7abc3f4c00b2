/** A resource's URN has the format `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME` (sdk/go/common/resource/urn). */
export const STACK_TYPE = "pulumi:pulumi:Stack";
const PROVIDER_PREFIX = "pulumi:providers:";

export function createUrn(stack: string, project: string, parent: string, type: string, name: string): string {
  const outer = parent === "" ? "" : qualifiedType(parent);
  const qualified = outer === "" || outer === STACK_TYPE ? type : `${outer}$${type}`;
  return `urn:pulumi:${stack}::${project}::${qualified}::${name}`;
}

export function stackUrn(stack: string, project: string): string {
  return createUrn(stack, project, "", STACK_TYPE, `${project}-${stack}`);
}

export function qualifiedType(urn: string): string {
  return urn.split("::")[2] ?? "";
}

export function urnType(urn: string): string {
  return qualifiedType(urn).split("$").at(-1) ?? "";
}

/** The resource's name, which may itself contain `::`. */
export function urnName(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

export function isProviderType(type: string): boolean {
  return type.startsWith(PROVIDER_PREFIX);
}

export function providerType(packageName: string): string {
  return PROVIDER_PREFIX + packageName;
}

/** The package of a resource type or a function token; for `pulumi:providers:aws` it is `aws`. */
export function packageOf(token: string): string {
  return isProviderType(token) ? token.slice(PROVIDER_PREFIX.length) : (token.split(":")[0] ?? "");
}

/** Whether the engine created this provider itself. Its steps are not shown, as in the CLI. */
export function isDefaultProvider(urn: string): boolean {
  return isProviderType(urnType(urn)) && /^default(_|$)/.test(urnName(urn));
}

/** The URN of a provider's reference, which has the format `URN::ID`. */
export function referenceUrn(reference: string): string {
  return reference.slice(0, reference.lastIndexOf("::"));
}
