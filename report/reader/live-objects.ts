import { type Cluster, KubectlFailed, kubectl } from "./kubectl";
import type { ObjectsRequest } from "./request";

/**
 * Reads the objects that exist, with the records of who set which field.
 * @returns the objects, or why they can't be read
 */
export async function liveObjects(
  { resources, selector }: Pick<ObjectsRequest, "resources" | "selector">,
  cluster: Cluster,
): Promise<{ objects: unknown[] } | { unknown: string }> {
  try {
    const text = await kubectl(
      [
        ...["get", ...resources, "--ignore-not-found", "--output=json", "--show-managed-fields"],
        ...(selector === undefined ? [] : [`--selector=${selector}`]),
      ],
      cluster,
    );
    // kubectl prints nothing if nothing was found, and no list if a single resource was requested.
    const found = text.trim() === "" ? { items: [] } : (JSON.parse(text) as { items?: unknown[] });
    return { objects: found.items ?? [found] };
  } catch (error) {
    if (error instanceof KubectlFailed) return { unknown: error.message };
    throw error;
  }
}
