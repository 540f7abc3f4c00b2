import type { AppSettings } from "../../settings/schema";

/**
 * The field manager of objects that the release takes over. What other tools set is handed over to it, so that it has
 * to be known before the object is applied; Pulumi's own names for field managers are random.
 */
export const FIELD_MANAGER = "pulumi-release";

/**
 * Returns the annotations of an object that the release may take over, or undefined. They let Pulumi set fields that
 * another tool set before
 * (https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/).
 */
export function takenOver({ adopt }: Pick<AppSettings, "adopt">): Record<string, string> | undefined {
  return adopt ? { "pulumi.com/patchForce": "true", "pulumi.com/patchFieldManager": FIELD_MANAGER } : undefined;
}
