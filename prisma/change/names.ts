import { type Datamodel, type Model, mappedName } from "../datamodel";
import { keyIn } from "../expected-columns";
import { prismaName } from "./fields";

/** Returns the model of a table. */
export function modelOf(key: string, { models }: Pick<Datamodel, "models">): Model | undefined {
  return models.find((model) => keyIn(model) === key);
}

/** Returns the name of the field for a column: that of the model, or the one that a new field gets. */
export function fieldOf(column: string, model: Model | undefined): string {
  const field = model?.fields.find((each) => (mappedName(each) ?? each.name) === column);
  return field?.name ?? prismaName(column);
}
