import {
  type Attribute as AttributeNode,
  type BlockAttribute,
  type Enum as EnumNode,
  type Field as FieldNode,
  type GroupedAttribute,
  getSchema,
  PrismaParser,
  type Value as ValueNode,
  VisitorClassFactory,
} from "@mrleebo/prisma-ast";
import type { PrismaFile } from "../migrations/revert/prisma-schema";
import type { Argument, Attribute, Datamodel, Enum, Field, Model, Place, Value } from "./datamodel";
import { plainText } from "./plain-text";

/** This error reports a file that can't be read as a Prisma schema. */
export class PrismaSyntaxError extends Error {
  override readonly name = "PrismaSyntaxError";
}

/**
 * Reads the files of a Prisma schema.
 * @throws PrismaSyntaxError that names the file
 */
export function parsePrisma(files: readonly PrismaFile[]): Datamodel {
  const found = { models: [] as Model[], enums: [] as Enum[], views: [] as Model[] };
  const settings = new Map<string, ValueNode>();
  for (const file of files) {
    const at = (of: Located): Place => ({ path: file.path, line: of.location?.startLine ?? 1 });
    for (const block of blocksOf(file))
      switch (block.type) {
        case "model":
          found.models.push(modelOf(block, at));
          break;
        case "view":
          found.views.push(modelOf(block, at));
          break;
        case "enum":
          found.enums.push(enumOf(block, at));
          break;
        case "datasource":
          for (const each of block.assignments) if (each.type === "assignment") settings.set(each.key, each.value);
          break;
        default: // generators and comments say nothing about the database
      }
  }
  return { ...found, ...datasourceOf(settings) };
}

function datasourceOf(settings: ReadonlyMap<string, ValueNode>): Omit<Datamodel, "models" | "enums" | "views"> {
  const text = (key: string) => {
    const value = settings.get(key);
    return typeof value === "string" ? unquoted(value) : undefined;
  };
  const provider = text("provider");
  const schemas = settings.get("schemas");
  return {
    ...(provider !== undefined && { provider }),
    schemas: schemas === undefined ? [] : itemsOf(schemas).map((each) => unquoted(String(each))),
    foreignKeys: (text("relationMode") ?? text("referentialIntegrity")) !== "prisma",
  };
}

interface Located {
  readonly location?: { readonly startLine?: number } | undefined;
}

type At = (of: Located) => Place;

/** Making a parser takes longer than reading a schema, so all schemas share one. It keeps nothing of what it has read. */
const parser = new PrismaParser({ nodeLocationTracking: "full" });
const visitor = new (VisitorClassFactory(parser))();

function blocksOf({ path, text }: PrismaFile) {
  try {
    return getSchema(plainText(text), { parser, visitor }).list;
  } catch (error) {
    const { message, token } = error as Error & { token?: { startLine?: number } };
    const line = token?.startLine;
    const where = line === undefined || Number.isNaN(line) ? "" : `, line ${line}`;
    throw new PrismaSyntaxError(`${path}${where} can't be read as a Prisma schema: ${message.split("\n")[0]}`);
  }
}

function modelOf(
  { name, properties, ...rest }: { name: string; properties: readonly object[] } & Located,
  at: At,
): Model {
  const nodes = properties.filter((each): each is FieldNode | BlockAttribute => "type" in each);
  return {
    name,
    fields: nodes.flatMap((each) => (each.type === "field" ? fieldOf(each, at) : [])),
    attributes: nodes.flatMap((each) => (each.type === "attribute" ? attribute(each, at) : [])),
    place: at(rest),
  };
}

function fieldOf(node: FieldNode, at: At): Field {
  const { name, fieldType, array, optional, attributes = [] } = node;
  const [parameter] = typeof fieldType === "string" ? [] : (fieldType.params ?? []);
  return {
    name,
    ...(typeof fieldType === "string" ? { type: fieldType } : { unsupported: unquoted(String(parameter ?? "")) }),
    arity: array ? "list" : optional ? "optional" : "required",
    attributes: attributes.map((each) => attribute(each, at)),
    place: at(node),
  };
}

function enumOf({ name, enumerators, ...rest }: EnumNode, at: At): Enum {
  return {
    name,
    values: enumerators.flatMap((each) =>
      each.type === "enumerator"
        ? {
            name: each.name,
            attributes: (each.attributes ?? []).map((own) => attribute(own, at)),
            place: at(located(each)),
          }
        : [],
    ),
    attributes: enumerators.flatMap((each) => (each.type === "attribute" ? attribute(each, at) : [])),
    place: at(rest),
  };
}

function attribute(node: AttributeNode | BlockAttribute | GroupedAttribute, at: At): Attribute {
  const { group, name, args = [] } = node;
  return {
    name: group === undefined ? name : `${group}.${name}`,
    args: args.map(({ value }) => argument(value)),
    place: at(node),
  };
}

function argument(node: ValueNode | { type: "keyValue"; key: string; value: ValueNode }): Argument {
  if (isTyped(node) && node.type === "keyValue") return { key: node.key, value: read(node.value) };
  return { value: read(node) };
}

function read(node: ValueNode | object): Value {
  if (Array.isArray(node)) return { kind: "list", items: node.map(read) };
  if (isTyped(node))
    switch (node.type) {
      case "array":
        return { kind: "list", items: (node.args ?? []).map(read) };
      case "function":
        return { kind: "call", name: node.name, args: (node.params ?? []).map(argument) };
      default:
        return { kind: "object" };
    }
  const word = String(node);
  return word.startsWith('"') ? { kind: "text", text: unquoted(word) } : { kind: "word", word };
}

type Typed =
  | { type: "array"; args?: ValueNode[] }
  | { type: "function"; name: string; params?: ValueNode[] }
  | { type: "object" }
  | { type: "keyValue"; key: string; value: ValueNode };

function isTyped(node: unknown): node is Typed {
  return typeof node === "object" && node !== null && "type" in node;
}

function itemsOf(node: ValueNode): readonly ValueNode[] {
  if (Array.isArray(node)) return node;
  return isTyped(node) && node.type === "array" ? (node.args ?? []) : [];
}

/** The text between quotation marks. */
function unquoted(word: string): string {
  if (!word.startsWith('"')) return word;
  try {
    return String(JSON.parse(word));
  } catch {
    // Prisma allows escapes that JSON doesn't.
    return word.slice(1, -1).replace(/\\(.)/g, "$1");
  }
}

/** The parser gives a location to the values of an enum too, which its types don't say. */
function located(node: object): Located {
  return "location" in node && typeof node.location === "object" && node.location !== null
    ? { location: node.location }
    : {};
}
