import { type FieldSet, fieldsToHandOver, type OwnedObject } from "../../report/reader/field-ownership";
import { type Json, member } from "../field-conflicts";
import type { LiveObject } from "../live-objects";
import type { Manifest } from "../manifest";

/**
 * Returns what the release removes from a Deployment or an autoscaler when it takes it over: every part that another tool has set and
 * that the release doesn't set itself. Defaults of Kubernetes are left out, and what the settings of the release replace
 * in another form, such as probes.
 *
 * @returns names such as `initContainers.migrate`, `containers.app.env.OLD_FLAG`, `labels.team`; no values, which may be
 *   secrets
 */
export function removedParts(wanted: Manifest, live: LiveObject): string[] {
  const fields = fieldsToHandOver(live as unknown as OwnedObject);
  const found = removed(fields, wanted as unknown as Json, live, []).map((path) => partName(wanted.kind, path));
  return [...new Set(found)].sort();
}

function removed(fields: FieldSet, wanted: Json | undefined, live: Json | undefined, path: string[]): string[][] {
  return Object.entries(fields).flatMap(([key, below]) => {
    if (key === "." || key.startsWith("v:")) return [];
    const have = live === undefined ? undefined : member(live, key);
    const at = [...path, key];
    if (have === undefined || have === null || isOfNoConcern(at, have)) return [];
    const want = wanted === undefined ? undefined : member(wanted, key);
    const inner = Object.keys(below).length > 0;
    if (want === undefined || want === null)
      return inner && isListOfParts(key, below) ? removed(below, undefined, have, at) : [at];
    return inner ? removed(below, want, have, at) : [];
  });
}

/** Whether the parts of a field are named one by one, not the field as a whole. */
function isListOfParts(key: string, below: FieldSet): boolean {
  return NAMED_ONE_BY_ONE.includes(key) || Object.keys(below).some((each) => each.startsWith("k:"));
}

const NAMED_ONE_BY_ONE = ["f:spec", "f:template", "f:metadata", "f:labels", "f:annotations", "f:nodeSelector"];

/** The values that Kubernetes itself gives these fields. A manager that created the object owns them too. */
const DEFAULTS: Record<string, Json> = {
  "f:dnsPolicy": "ClusterFirst",
  "f:restartPolicy": "Always",
  "f:schedulerName": "default-scheduler",
  "f:enableServiceLinks": true,
  "f:terminationMessagePath": "/dev/termination-log",
  "f:terminationMessagePolicy": "File",
  "f:minReadySeconds": 0,
  "f:protocol": "TCP",
};

/**
 * Fields that the release sets in a form of its own, or whose default depends on other fields. `serviceAccount` is an old
 * name of `serviceAccountName`.
 */
const REPLACED = [
  "f:startupProbe",
  "f:readinessProbe",
  "f:livenessProbe",
  "f:preStop",
  "f:strategy",
  "f:imagePullPolicy",
  "f:serviceAccount",
  "f:terminationGracePeriodSeconds",
];

const REPLACED_ANNOTATIONS =
  /^f:(kubectl\.kubernetes\.io\/restartedAt|kubectl\.kubernetes\.io\/last-applied-configuration)$/;

function isOfNoConcern(path: readonly string[], value: Json): boolean {
  const key = path.at(-1) ?? "";
  const parent = path.at(-2) ?? "";
  if (REPLACED.includes(key) || DEFAULTS[key] === value || REPLACED_ANNOTATIONS.test(key)) return true;
  // The value of a variable or the source of a volume of the same name is replaced as a whole.
  const ofPart = parent.startsWith("k:") && ["f:env", "f:volumes"].includes(path.at(-3) ?? "");
  return ofPart || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}

/** Returns the name of a part, without what all paths have in common. */
function partName(kind: string, path: readonly string[]): string {
  const steps = path.map(step).join(".");
  const group = kind === "Deployment" ? "deployment" : "autoscaler";
  return steps.replace(/^spec\.template\.(spec|metadata)\./, "").replace(/^spec\./, `${group}.`);
}

function step(key: string): string {
  if (!key.startsWith("k:")) return key.slice(2);
  const [first] = Object.values(JSON.parse(key.slice(2)) as Record<string, Json>);
  return String(first);
}
