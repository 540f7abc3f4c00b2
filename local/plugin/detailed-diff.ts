import { DiffResponse, PropertyDiff } from "@pulumi/pulumi/proto/provider_pb";
import type { DiffResult, Json, Properties } from "../cloud/provider";

const { ADD, ADD_REPLACE, DELETE, DELETE_REPLACE, UPDATE, UPDATE_REPLACE } = PropertyDiff.Kind;

/** Converts a provider's diff to the protocol's, with the kind of each change by its path. */
export function diffResponse(result: DiffResult, oldInputs: Properties, news: Properties): DiffResponse {
  const response = new DiffResponse();
  const { DIFF_NONE, DIFF_SOME } = DiffResponse.DiffChanges;
  response.setChanges(result.changes === "some" ? DIFF_SOME : DIFF_NONE);
  response.setDiffsList(topLevel(result.diffs));
  response.setReplacesList(topLevel(result.replaces));
  response.setDeletebeforereplace(result.deleteBeforeReplace);
  response.setHasdetaileddiff(true);
  const detailed = response.getDetaileddiffMap();
  for (const path of new Set([...result.diffs, ...result.replaces])) {
    const replaces = result.replaces.includes(path);
    const diff = new PropertyDiff();
    diff.setInputdiff(true);
    if (valueAt(oldInputs, path) === undefined) diff.setKind(replaces ? ADD_REPLACE : ADD);
    else if (valueAt(news, path) === undefined) diff.setKind(replaces ? DELETE_REPLACE : DELETE);
    else diff.setKind(replaces ? UPDATE_REPLACE : UPDATE);
    detailed.set(path, diff);
  }
  return response;
}

function topLevel(paths: string[]): string[] {
  return [...new Set(paths.map((path) => segments(path)[0] ?? path))];
}

function valueAt(properties: Properties, path: string): Json | undefined {
  let at: Json | undefined = properties;
  for (const segment of segments(path)) {
    if (typeof at !== "object" || at === null) return undefined;
    at = (at as Record<string, Json>)[segment];
  }
  return at;
}

/** Splits a path such as `spec.template["a.b/c"].containers[0]` (sdk/go/common/resource/property_path.go). */
function segments(path: string): string[] {
  const parts = path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g);
  return [...parts].map(([, quoted, index, name]) => quoted?.replace(/\\(.)/g, "$1") ?? index ?? name ?? "");
}
