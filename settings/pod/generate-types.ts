import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * `npm run pod-types -- VERSION FILE` writes types.ts from Kubernetes' own API definitions (Apache-2.0). FILE is either
 * what `kubectl get --raw /openapi/v2` prints, or `_definitions.json` of a version in the PyPI package
 * kubernetes-validate, which is the same in the form of JSON Schema.
 */
function main([version, file]: string[]): void {
  if (version === undefined || file === undefined) throw new Error("usage: npm run pod-types -- VERSION FILE");
  const read = JSON.parse(readFileSync(file, "utf8")) as Record<"definitions" | "$defs", Definitions | undefined>;
  const definitions = read.definitions ?? read.$defs;
  if (!definitions) throw new Error(`${file} contains neither "definitions" nor "$defs".`);
  writeFileSync(join(__dirname, "types.ts"), typesFile(version, definitions));
}

interface Definition {
  type?: string | string[];
  $ref?: string;
  items?: Definition;
  additionalProperties?: Definition;
  properties?: Record<string, Definition>;
  required?: string[];
  "x-kubernetes-patch-merge-key"?: string;
}
type Definitions = Record<string, Definition>;

const ROOT = "io.k8s.api.core.v1.PodSpec";

/** The root of a fragment. The other fields of a template's metadata would name the pods, which Kubernetes does. */
const FRAGMENT: [name: string, fields: string][] = [
  ["PodFragment", "metadata: PodFragmentMetadata; spec: PodSpec"],
  ["PodFragmentMetadata", "annotations: {string}; labels: {string}"],
];

/** The types that JSON Schema describes as alternatives. */
const SCALARS: Record<string, string> = { Quantity: "quantity", IntOrString: "integer or string", Time: "string" };

/** Fields that only the API server sets, or only a pod that runs. */
const NOT_IN_TEMPLATES = ["ephemeralContainers", "managedFields", "ownerReferences"];

/**
 * The allowed values that Kubernetes' definitions have only in the description of a field
 * (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/). Fields to which newer versions may
 * add values are left out.
 */
const VALUES: Record<string, string> = {
  "Container.imagePullPolicy": "Always | IfNotPresent | Never",
  "Container.restartPolicy": "Always | OnFailure | Never",
  "Container.terminationMessagePolicy": "File | FallbackToLogsOnError",
  "ContainerPort.protocol": "TCP | UDP | SCTP",
  "HTTPGetAction.scheme": "HTTP | HTTPS",
  "PodSpec.dnsPolicy": "ClusterFirst | ClusterFirstWithHostNet | Default | None",
  "PodSpec.preemptionPolicy": "Never | PreemptLowerPriority",
  "PodSecurityContext.fsGroupChangePolicy": "OnRootMismatch | Always",
  "PodSecurityContext.supplementalGroupsPolicy": "Merge | Strict",
  "SeccompProfile.type": "RuntimeDefault | Localhost | Unconfined",
  "AppArmorProfile.type": "RuntimeDefault | Localhost | Unconfined",
  "Toleration.effect": "NoSchedule | PreferNoSchedule | NoExecute",
  "Toleration.operator": "Exists | Equal | Lt | Gt",
  "NodeSelectorRequirement.operator": "In | NotIn | Exists | DoesNotExist | Gt | Lt",
  "LabelSelectorRequirement.operator": "In | NotIn | Exists | DoesNotExist",
  "TopologySpreadConstraint.whenUnsatisfiable": "DoNotSchedule | ScheduleAnyway",
  "TopologySpreadConstraint.nodeAffinityPolicy": "Honor | Ignore",
  "TopologySpreadConstraint.nodeTaintsPolicy": "Honor | Ignore",
  "VolumeMount.mountPropagation": "None | HostToContainer | Bidirectional",
  "VolumeMount.recursiveReadOnly": "Disabled | IfPossible | Enabled",
};

/** Returns the text of types.ts. */
function typesFile(version: string, definitions: Definitions): string {
  const types = [...reachable(ROOT, definitions)].map(([name, definition]): [string, string] => [
    short(name),
    fieldsOf(short(name), definition),
  ]);
  const lines = [...FRAGMENT, ...types]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, fields]) => `  ${name}: "${fields}",`);
  return `// Written by \`npm run pod-types\` from Kubernetes' API definitions
// (https://github.com/kubernetes/kubernetes/tree/master/api/openapi-spec, Apache-2.0).

/** The version of Kubernetes whose pods {@link POD_TYPES} describes. */
export const KUBERNETES = "${version}";

/**
 * The fields of each type that a pod's specification is made of. \`!\` marks a required field, \`[Type by key]\` a list
 * whose elements a strategic merge matches by that key, \`[Type]\` any other list, and \`{type}\` a map of texts to
 * values of that type.
 */
export const POD_TYPES: Readonly<Record<string, string>> = {
${lines.join("\n")}
};
`;
}

function reachable(name: string, definitions: Definitions, found = new Map<string, Definition>()) {
  const definition = definitions[name];
  if (!definition) throw new Error(`there is no definition of ${name}`);
  if (found.has(name) || short(name) in SCALARS) return found;
  found.set(name, definition);
  for (const [field, each] of Object.entries(definition.properties ?? {})) {
    const inner = each.$ref ?? each.items?.$ref ?? each.additionalProperties?.$ref;
    if (inner !== undefined && !NOT_IN_TEMPLATES.includes(field)) reachable(nameOf(inner), definitions, found);
  }
  return found;
}

function fieldsOf(type: string, { properties = {}, required = [] }: Definition): string {
  return Object.entries(properties)
    .filter(([field]) => !NOT_IN_TEMPLATES.includes(field))
    .map(([field, each]) => {
      const notation = VALUES[`${type}.${field}`] ?? notationOf(each);
      return `${field}${required.includes(field) ? "!" : ""}: ${notation}`;
    })
    .join("; ");
}

function notationOf(definition: Definition): string {
  if (definition.$ref) return SCALARS[short(nameOf(definition.$ref))] ?? short(nameOf(definition.$ref));
  if (definition.items) {
    const key = definition["x-kubernetes-patch-merge-key"];
    return `[${notationOf(definition.items)}${key === undefined ? "" : ` by ${key}`}]`;
  }
  if (definition.additionalProperties) return `{${notationOf(definition.additionalProperties)}}`;
  const [type] = [definition.type ?? []].flat().filter((each) => each !== "null");
  if (type === undefined) throw new Error(`a type is missing: ${JSON.stringify(definition)}`);
  return type;
}

function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf("/") + 1);
}

function short(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

main(process.argv.slice(2));
