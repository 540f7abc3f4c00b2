import * as pulumi from "@pulumi/pulumi";

/**
 * Returns the resource options with which Pulumi calls a function when an operation on the resource has failed. They
 * are empty if the engine doesn't support error hooks (Pulumi CLI before 3.217, Pulumi's mocks).
 *
 * @param name The name of the hook, which must be unique in the program.
 * @param hook The function. Its result tells Pulumi whether to try the operation again.
 */
export function onError(name: string, hook: pulumi.ErrorHookFunction): Pick<pulumi.CustomResourceOptions, "hooks"> {
  return engineCallsErrorHooks() ? { hooks: { onError: [new pulumi.ErrorHook(name, hook)] } } : {};
}

/** Returns the resource options with the hooks of both. */
export function bothHooks(
  first: Pick<pulumi.CustomResourceOptions, "hooks">,
  second: Pick<pulumi.CustomResourceOptions, "hooks">,
): Pick<pulumi.CustomResourceOptions, "hooks"> {
  const all = [...(first.hooks?.onError ?? []), ...(second.hooks?.onError ?? [])];
  return all.length === 0 ? {} : { hooks: { onError: all } };
}

/**
 * Returns whether the engine supports error hooks. The SDK asked the engine that before the program began, but has no
 * public function for it. A hook must not be made for an engine without that support.
 */
function engineCallsErrorHooks(): boolean {
  const { getStore }: { getStore(): { supportsErrorHooks?: boolean } } = require("@pulumi/pulumi/runtime/state");
  return getStore().supportsErrorHooks === true && "registerErrorHook" in (pulumi.runtime.getMonitor() ?? {});
}
