import { z } from "zod";
import { POD_REFERENCE, podDefinitions } from "./pod/json-schema";
import { sections } from "./schema";
import { podFragment } from "./sections/pod";
import { type About, DECIDES } from "./types";

const OWN: readonly Exclude<keyof About, "description">[] = ["example", "without", "decidesRelease", "values"];

/** Moves metadata that JSON Schema has no keyword for into the description that an editor shows. */
function explain(json: z.core.JSONSchema.BaseSchema): void {
  const { values, without, decidesRelease, example } = json;
  if (json.description !== undefined) {
    const parts = [values && `Values: ${values}.`, without && `Without it: ${without}.`];
    json.description = [json.description, decidesRelease && DECIDES, ...parts].filter(Boolean).join(" ");
    json["examples"] = [example];
  }
  for (const own of OWN) delete json[own];
}

/** Replaces the schema of any group of keys by Kubernetes' own of a pod template. */
function referToPod(json: z.core.JSONSchema.BaseSchema): void {
  for (const key of Object.keys(json)) delete json[key];
  json.allOf = [{ $ref: POD_REFERENCE }];
}

/**
 * The JSON Schema of a stack's settings file, with which an editor completes and checks it. The keys of
 * other namespaces (`aws:region`) are allowed. Rules that only `pulumi up` can check, such as a
 * deadline that is too short, aren't part of it.
 * @param project the name of the Pulumi project, which is the namespace of its own keys
 */
export function stackFileSchema(project: string): object {
  const properties = Object.fromEntries(
    Object.entries(sections).map(([section, schema]) => {
      const { $schema: _, ...json } = z.toJSONSchema(schema, {
        io: "input",
        target: "draft-07",
        override({ zodSchema, jsonSchema }) {
          if (zodSchema === podFragment) referToPod(jsonSchema);
          explain(jsonSchema);
        },
      });
      return [`${project}:${section}`, json];
    }),
  );
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: `Settings of a stack of ${project}`,
    definitions: podDefinitions(),
    type: "object",
    properties: {
      config: {
        type: "object",
        properties,
        patternProperties: { [`^${project}:(?!(${Object.keys(sections).join("|")})$)`]: false },
      },
    },
  };
}
