import { type Cluster, KubectlFailed, kubectl } from "./kubectl";

/**
 * Reads the objects that exist, with the records of who set which field.
 * @returns the objects, or why they can't be read
 */
export async function liveObjects(
  resources: readonly string[],
  cluster: Cluster,
): Promise<{ objects: unknown[] } | { unknown: string }> {
  try {
    const text = await kubectl(
      ["get", ...resources, "--ignore-not-found", "--output=json", "--show-managed-fields"],
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
