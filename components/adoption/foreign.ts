import { isTool } from "../../report/reader/field-ownership";
import { isPulumi } from "../field-conflicts";
import type { LiveObject } from "../live-objects";
import { MANIFEST_ANNOTATION } from "../manifest";
import { FIELD_MANAGER } from "./field-manager";

/** Whether somebody else made the object, and no release has applied it yet. */
export function isForeign({ metadata: { annotations = {}, managedFields = [] } }: LiveObject): boolean {
  const released = annotations[MANIFEST_ANNOTATION] !== undefined;
  // A release that failed before its rollout has already been given the fields of the other tools.
  return !managedFields.some((each) => isPulumi(each) && (released || each.manager !== FIELD_MANAGER));
}

/** The names of the tools that made the object, for messages; empty if none is known. */
export function makersOf({ metadata: { managedFields = [] } }: LiveObject): string[] {
  const names = managedFields.filter((each) => isTool(each) && each.manager !== FIELD_MANAGER);
  return [...new Set(names.map(({ manager }) => manager))];
}

/** Controllers that set an object again from a repository, and so would undo each release. */
const GITOPS = /^(argocd-|kustomize-controller|helm-controller|flux-|fleetagent|fleet-agent)/;

/** The name of the GitOps controller that keeps the object as it is in a repository, or undefined. */
export function gitOpsController({ metadata: { managedFields = [] } }: LiveObject): string | undefined {
  return managedFields.find(({ manager }) => GITOPS.test(manager))?.manager;
}
