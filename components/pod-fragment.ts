import { type FieldType, fieldsOf, type Group, isGroup, POD_FRAGMENT } from "../settings/pod/fields";

/**
 * Returns a pod template with a fragment merged into it, as `kubectl patch` does: groups of keys are merged at every
 * depth, elements of a list are matched by the key that Kubernetes' API names for it (containers by name, mounts by
 * path), and any other list or value of the fragment takes the place of the template's. New elements come before the
 * template's own (https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/).
 *
 * @param fragment The fragment, whose fields are known to be right. Default: nothing is changed.
 */
export function withPodFragment<T extends object>(template: T, fragment: Group | undefined): T {
  if (fragment === undefined) return template;
  const [own, ...others] = containerNames(template);
  const added = containerNames(fragment).some((name) => name !== own);
  // An added container comes first, but `kubectl logs` and `kubectl exec` mean the template's own.
  const marked =
    added && own !== undefined && others.length === 0
      ? mergedObject(template, { metadata: { annotations: { [DEFAULT_CONTAINER_ANNOTATION]: own } } }, POD_FRAGMENT)
      : template;
  return mergedObject(marked, fragment, POD_FRAGMENT);
}

function containerNames(template: object): unknown[] {
  const spec = isGroup(template) && isGroup(template["spec"]) ? template["spec"] : {};
  return Array.isArray(spec["containers"]) ? spec["containers"].filter(isGroup).map(({ name }) => name) : [];
}

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#kubectl-kubernetes-io-default-container */
export const DEFAULT_CONTAINER_ANNOTATION = "kubectl.kubernetes.io/default-container";

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
  const placeInBase = (element: unknown) => base.findIndex((each) => keyOf(each) === keyOf(element));
  const changed = changes.map((change) => mergedValue(base[placeInBase(change)], change, of));
  const kept = base.filter((element) => !changes.some((change) => keyOf(change) === keyOf(element)));
  // The order is Kubernetes' own (mergeSortedSlice in k8s.io/apimachinery, pkg/util/strategicpatch/patch.go): a kept
  // element comes before a changed one only if it did so in the template.
  const merged: unknown[] = [];
  for (const element of changed) {
    const place = placeInBase(element);
    while (kept.length > 0 && place >= 0 && placeInBase(kept[0]) < place) merged.push(kept.shift());
    merged.push(element);
  }
  return [...merged, ...kept];
}

/** The type of a field of an object, or of a value of a map. */
function typeOfField(type: FieldType, key: string): FieldType | undefined {
  if (type.kind === "object") return fieldsOf(type.name).get(key)?.type;
  return type.kind === "map" ? type.of : undefined;
}
