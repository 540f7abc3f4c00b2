import type { CreateFunctionStmt, FunctionParameter, Node, ObjectWithArgs, TypeName } from "libpg-query";
import type { Schema } from "../schema/schema";
import type { SchemaObject } from "../schema/schema-object";
import { columnType, typeText } from "../sql/column-type";
import { keyOf, nameOfParts, nameText } from "../sql/identifier";
import { type Before, notInHistory, perhapsBefore, type Undo } from "./undo";

/** Records a function or procedure with its definition. Functions of one name are told apart by their arguments. */
export function recordRoutine(statement: CreateFunctionStmt, schema: Schema): void {
  schema.definitions?.set(madeBy(statement), { CreateFunctionStmt: statement });
}

/** Takes back that a function or procedure was made, or replaced by another definition. */
export function dropRoutine(statement: CreateFunctionStmt, { schema, write }: Before): Undo[] {
  const { funcname, replace, is_procedure } = statement;
  const of = madeBy(statement);
  const known = replace ? schema.definitions?.get(of) : undefined;
  if (known) return [definedAgain(of, known.node, write)];
  const types = inputs(statement).map((type) => (type.pct_type ? undefined : write({ TypeName: type })));
  if (!types.every((type) => type !== undefined))
    return [{ of, never: "the types of its arguments can't be written back" }];
  const sql = [
    `DROP ${is_procedure ? "PROCEDURE" : "FUNCTION"} ${nameText(nameOfParts(funcname))}(${types.join(", ")})`,
  ];
  const note = replace && !schema.routines.has(of.key) && perhapsBefore.replace("IF NOT EXISTS", "OR REPLACE");
  return [{ of, sql, drops: true, after: true, ...(note && { note }) }];
}

/** Gives a function back the definition that it had before it was altered or dropped. */
export function routineAgain(named: ObjectWithArgs | undefined, { schema, write }: Before): Undo[] {
  const of = find(named, schema);
  return [definedAgain(of, schema.definitions?.get(of)?.node, write)];
}

/** Records that ALTER FUNCTION has changed a function, so that its definition isn't known any more. */
export function routineChanged(named: ObjectWithArgs | undefined, schema: Schema): void {
  schema.definitions?.giveUp(find(named, schema));
}

/** Records that a function doesn't exist any more. */
export function routineDropped(object: Node, schema: Schema): void {
  if ("ObjectWithArgs" in object) schema.definitions?.delete(find(object.ObjectWithArgs, schema));
}

function definedAgain(of: SchemaObject, node: Node | undefined, write: Before["write"]): Undo {
  const statement = node && "CreateFunctionStmt" in node ? node.CreateFunctionStmt : undefined;
  const sql = statement && write({ CreateFunctionStmt: { ...statement, replace: true } });
  return sql === undefined ? { of, never: notInHistory } : { of, sql: [sql] };
}

function madeBy(statement: CreateFunctionStmt): SchemaObject {
  return functionOf(statement.funcname, inputs(statement));
}

/** The function that a statement names. If it names no arguments, there is only one of that name. */
function find({ objname, objargs = [], args_unspecified }: ObjectWithArgs = {}, schema: Schema): SchemaObject {
  const types = objargs.flatMap((arg) => ("TypeName" in arg ? [arg.TypeName] : []));
  const named = functionOf(objname, types);
  if (!args_unspecified) return named;
  const found = schema.definitions
    ?.list()
    .filter(({ object }) => object.kind === "function" && object.key === named.key);
  return found?.length === 1 ? found[0]!.object : named;
}

function functionOf(name: readonly Node[] | undefined, types: readonly TypeName[]): SchemaObject {
  const part = types.map((type) => typeText(columnType({ ...type, typmods: [] }))).join(", ");
  return { kind: "function", key: keyOf(nameOfParts(name)), part };
}

/** The types of the arguments by which functions of one name are told apart. */
function inputs({ parameters = [] }: CreateFunctionStmt): TypeName[] {
  const all = parameters.flatMap((item): FunctionParameter[] =>
    "FunctionParameter" in item ? [item.FunctionParameter] : [],
  );
  return all.flatMap(({ mode, argType }) => (/_OUT$|TABLE/.test(mode ?? "") || !argType ? [] : [argType]));
}
