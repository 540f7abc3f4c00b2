import { type FieldType, fieldsOf } from "./fields";
import { POD_TYPES } from "./types";

/** The reference to the JSON Schema of a fragment of a pod template, among the definitions of {@link podDefinitions}. */
export const POD_REFERENCE = "#/definitions/PodFragment";

/** Returns the JSON Schema of every type that a fragment of a pod template is made of, by its name. */
export function podDefinitions(): Record<string, object> {
  return Object.fromEntries(Object.keys(POD_TYPES).map((name) => [name, objectSchema(name)]));
}

function objectSchema(type: string): object {
  const fields = [...fieldsOf(type)];
  // The pod that a fragment is merged into has containers already.
  const required = type === "PodSpec" ? [] : fields.filter(([, field]) => field.required).map(([name]) => name);
  return {
    type: "object",
    properties: Object.fromEntries(fields.map(([name, field]) => [name, schemaOf(field.type)])),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  };
}

function schemaOf(type: FieldType): object {
  switch (type.kind) {
    case "scalar":
      return SCALARS[type.name] ?? { type: type.name };
    case "values":
      return { enum: type.values };
    case "object":
      return { $ref: `#/definitions/${type.name}` };
    case "map":
      return { type: "object", additionalProperties: schemaOf(type.of) };
    case "list":
      return { type: "array", items: schemaOf(type.of) };
  }
}

const SCALARS: Record<string, object> = {
  quantity: { type: ["string", "number"] },
  "integer or string": { type: ["integer", "string"] },
};
