import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

const FOLDER = join(__dirname, "../e2e/rbac");

/** A Kubernetes Role, as far as the tests read it. */
interface RoleManifest {
  kind: string;
  metadata: { name: string };
  rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
}

/** The roles with which the tests on a real cluster run, by what they are for. */
export function roles(): string[] {
  return readdirSync(FOLDER)
    .map((file) => file.replace(/\.yaml$/, ""))
    .sort();
}

export function manifestOf(role: string): RoleManifest {
  return parse(readFileSync(join(FOLDER, `${role}.yaml`), "utf8")) as RoleManifest;
}

/** What a role may do, sorted: `deployments.apps: get, list`, as kubectl names resources. */
export function rightsOf(role: string): string[] {
  return manifestOf(role)
    .rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) => resources.map((each) => `${each}${group && `.${group}`}: ${verbs.join(", ")}`)),
    )
    .sort();
}

/** The resources for which a role has a verb, sorted. */
export function mayDo(role: string, verb: string): string[] {
  return rightsOf(role).flatMap((each) => {
    const [resource, verbs] = each.split(": ");
    return verbs!.split(", ").includes(verb) ? [resource!] : [];
  });
}
