import { type DiffRequest, type DiffResult, type Json, type Properties, UNKNOWN } from "../provider";
import { isClusterScoped } from "./object";
import { changesBetween, contains, isMap, parsePath, prune, touches } from "./property-diff";
import { AUTONAMED, annotation, replacingProperties } from "./replacement";

/**
 * Compares the live object, limited to the properties of the old inputs, with the new inputs. It determines which
 * changes require a replacement, and whether the old object must be deleted first because the new one has its name.
 */
export function diffObjects({ oldInputs, olds, news, ignoreChanges }: DiffRequest): DiffResult {
  const before = normalize(prune(normalize(olds), normalize(oldInputs)) as Properties);
  const after = normalize(news);
  const oldName = nameOf(olds);
  // If the program does not name the object, its generated name is not a change.
  if (nameOf(after) !== undefined && isMap(before["metadata"]) && oldName !== undefined)
    before["metadata"]["name"] = oldName;

  const ignored = ignoreChanges.map(parsePath);
  const changes = changesBetween(before, after).filter(({ keys }) => !ignored.some((prefix) => contains(prefix, keys)));
  const patterns = replacingProperties(after).map(parsePath);
  const replaces = changes
    .filter((change) => change.path === "metadata" || patterns.some((pattern) => touches(pattern, change)))
    .map(({ path }) => path);

  const name = nameOf(after);
  const fixedName = name !== undefined && annotation(after, AUTONAMED) !== "true" && name === oldName;
  const samePlace = namespaceOf(after) === namespaceOf(normalize(olds));
  return {
    changes: changes.length > 0 ? "some" : "none",
    diffs: changes.map(({ path }) => path),
    replaces,
    deleteBeforeReplace: replaces.length > 0 && fixedName && samePlace,
  };
}

const READ_ONLY = [
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "uid",
];

/** A normalized copy: with namespace, `stringData` as `data`, without fields that only the server sets. */
function normalize(given: Properties): Properties {
  const object = structuredClone(given);
  if (isMap(object["metadata"])) {
    for (const field of READ_ONLY) delete object["metadata"][field];
    if (isClusterScoped(String(object["kind"]))) delete object["metadata"]["namespace"];
    else object["metadata"]["namespace"] ??= "default";
  }
  if (object["kind"] === "Secret" && isMap(object["stringData"])) {
    const encoded = Object.entries(object["stringData"]).map(([key, value]): [string, Json] => [
      key,
      value === UNKNOWN ? value : Buffer.from(String(value)).toString("base64"),
    ]);
    object["data"] = { ...(isMap(object["data"]) ? object["data"] : {}), ...Object.fromEntries(encoded) };
    delete object["stringData"];
  }
  return object;
}

function nameOf({ metadata }: Properties): Json | undefined {
  return isMap(metadata) ? metadata["name"] : undefined;
}

function namespaceOf({ metadata }: Properties): Json | undefined {
  return isMap(metadata) ? metadata["namespace"] : undefined;
}
