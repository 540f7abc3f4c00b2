import { type FieldType, fieldsOf, type Group, isGroup, POD_FRAGMENT } from "../settings/pod/fields";

/**
 * Returns a pod template with a fragment merged into it, as `kubectl patch` does: groups of keys are merged at every
 * depth, elements of a list are matched by the key that Kubernetes' API names for it (containers by name, mounts by
 * path), and any other list or value of the fragment takes the place of the template's. New elements come after the
 * template's own (https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/).
 *
 * @param fragment The fragment, whose fields are known to be right. Default: nothing is changed.
 */
export function withPodFragment<T extends object>(template: T, fragment: Group | undefined): T {
  return fragment === undefined ? template : mergedObject(template, fragment, POD_FRAGMENT);
}

function mergedObject<T extends object>(base: T, changes: Group, type: FieldType): T {
  const own = new Map<string, unknown>(Object.entries(base));
  const merged = Object.entries(changes).map(([key, value]) => [
    key,
    mergedValue(own.get(key), value, typeOfField(type, key)),
  ]);
  return { ...base, ...Object.fromEntries(merged) };
}

function mergedValue(base: unknown, change: unknown, type: FieldType | undefined): unknown {
  if (base === undefined || type === undefined) return change;
  if (type.kind === "list" && type.key !== undefined && Array.isArray(base) && Array.isArray(change))
    return mergedList(base, change, { key: type.key, of: type.of });
  return isGroup(base) && isGroup(change) ? mergedObject(base, change, type) : change;
}

function mergedList(
  base: readonly unknown[],
  changes: readonly unknown[],
  { key, of }: { key: string; of: FieldType },
): unknown[] {
  const keyOf = (element: unknown) => (isGroup(element) ? element[key] : undefined);
  const changed = base.map((element) => {
    const change = changes.find((each) => keyOf(each) === keyOf(element));
    return change === undefined ? element : mergedValue(element, change, of);
  });
  const added = changes.filter((each) => !base.some((element) => keyOf(element) === keyOf(each)));
  return [...changed, ...added];
}

/** The type of a field of an object, or of a value of a map. */
function typeOfField(type: FieldType, key: string): FieldType | undefined {
  if (type.kind === "object") return fieldsOf(type.name).get(key)?.type;
  return type.kind === "map" ? type.of : undefined;
}
