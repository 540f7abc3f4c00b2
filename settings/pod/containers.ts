import type { Problem } from "../rule";
import { type Group, isGroup } from "./fields";

/** A container of a fragment. */
export interface FragmentContainer {
  /** The list that it is in. */
  list: "containers" | "initContainers";
  path: PropertyKey[];
  name: string;
  container: Group;
}

/** Returns the containers of a fragment, those of `initContainers` first, as they are started. */
export function containersOf(fragment: Group): FragmentContainer[] {
  const spec = isGroup(fragment["spec"]) ? fragment["spec"] : {};
  return (["initContainers", "containers"] as const).flatMap((list) =>
    elements(spec[list]).map((container, index) => {
      const name = String(container["name"]);
      return { list, path: ["spec", list, index], name, container };
    }),
  );
}

/**
 * Finds what the API server would refuse in the containers of a fragment, which is after the migration for the app: an
 * added container without an image, and a mount of a volume that isn't there.
 *
 * @param own The name of the container that the pod has already.
 * @param volumes The names of the volumes that the pod has already.
 */
export function containerProblems(fragment: Group, own: string, volumes: readonly string[] = []): Problem[] {
  const spec = isGroup(fragment["spec"]) ? fragment["spec"] : {};
  const mountable = [...volumes, ...elements(spec["volumes"]).map(({ name }) => name)];
  return containersOf(fragment).flatMap(({ list, path, name, container }) => {
    const added = list === "initContainers" || name !== own;
    const noImage = added && container["image"] === undefined;
    return [
      ...(noImage
        ? [{ path: [...path, "image"], allowed: `an image, because the pod's own container is named ${own}` }]
        : []),
      ...elements(container["volumeMounts"]).flatMap(({ name: volume }, index) =>
        mountable.includes(volume!)
          ? []
          : [
              {
                path: [...path, "volumeMounts", index, "name"],
                allowed: "the name of one of the volumes in spec.volumes of the same fragment",
              },
            ],
      ),
    ];
  });
}

/** Finds added containers whose image isn't named by its digest. */
export function unpinnedContainers(fragment: Group): PropertyKey[][] {
  return containersOf(fragment).flatMap(({ path, container: { image } }) =>
    typeof image === "string" && !image.includes("@sha256:") ? [[...path, "image"]] : [],
  );
}

/** The groups of keys in a list. */
function elements(list: unknown): Group[] {
  return Array.isArray(list) ? list.filter(isGroup) : [];
}
