import { type Cluster, KubectlFailed, kubectl } from "./kubectl";

/** The objects that are there, with the records of who set which field; or why they can't be had. */
export async function liveObjects(
  resources: readonly string[],
  cluster: Cluster,
): Promise<{ objects: unknown[] } | { unknown: string }> {
  try {
    const text = await kubectl(
      ["get", ...resources, "--ignore-not-found", "--output=json", "--show-managed-fields"],
      cluster,
    );
    // Nothing was found: nothing is printed. Of a single resource, no list.
    const found = text.trim() === "" ? { items: [] } : (JSON.parse(text) as { items?: unknown[] });
    return { objects: found.items ?? [found] };
  } catch (error) {
    if (error instanceof KubectlFailed) return { unknown: error.message };
    throw error;
  }
}
