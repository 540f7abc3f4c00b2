import type { CreateFunctionStmt, FunctionParameter, TypeName } from "libpg-query";
import { cascadeDependents, replaceUse } from "../schema/dependents";
import type { Routine } from "../schema/objects";
import type { Schema } from "../schema/schema";
import { useOf } from "../schema/uses";
import { optionOf } from "../sql/constant";
import { keyOf, type Name, nameOf, nameOfParts, partsOf } from "../sql/identifier";
import { parseScript } from "../sql/parse";
import { blockStatements } from "../sql/plpgsql";
import { walk } from "../sql/references";
import { tokensOf } from "../sql/tokens";
import type { Dropped, Drops, Family } from "./family";
import { called, changesRows, type Defined, defines, outside, setsPath } from "./replay-rules";
import { takenByDo } from "./takers";
import { dropRoutine, recordRoutine, routineAgain, routineChanged, routineDropped } from "./undo-routine";

/** Statements about functions and procedures, and those that run code at once (CALL and DO). */
export const routines: Family<"CreateFunctionStmt" | "AlterFunctionStmt" | "CallStmt" | "DoStmt" | "CreatePLangStmt"> =
  {
    CreateFunctionStmt: {
      opinion: "harmless",
      kind: () => "CREATE FUNCTION",
      apply(statement, schema, migration) {
        const { funcname, replace, returnType } = statement;
        const key = keyOf(nameOfParts(funcname));
        const before = replace ? undefined : schema.routines.get(key);
        const made = routineOf(statement);
        schema.routines.set(key, before ? both(before, made) : made);
        if (partsOf(returnType?.names).at(-1) === "trigger") schema.triggerFunctions.add(key);
        schema.made.set(key, migration);
        recordRoutine(statement, schema);
      },
      undo: dropRoutine,
      replay(statement, defined) {
        const language = defineRoutine(statement, defined);
        // The server compiles a function when it is made. Languages other than SQL and PL/pgSQL may run code for that.
        if (!/^(sql|plpgsql)$/.test(language)) return outside(`it makes a function in ${language}`);
        const { sql_body: _, ...rest } = statement;
        return called(rest, defined) ?? "run";
      },
    },
    AlterFunctionStmt: {
      opinion: "harmless",
      apply({ func, actions }, schema) {
        const key = keyOf(nameOfParts(func?.objname));
        const before = schema.routines.get(key);
        const [volatility] = partsOf(optionOf(actions, "volatility")?.arg);
        if (before && volatility) schema.routines.set(key, { ...before, volatility: volatilityOf(volatility) });
        routineChanged(func, schema);
      },
      replay: defines,
      undo: ({ func }, before) => routineAgain(func, before),
    },
    CallStmt: {
      opinion: { unknown: "what a procedure does is decided while it runs" },
      takesBack: () => ({ by: "CALL" }),
      undo: () => [{ of: { kind: "other", key: "CALL" }, never: "what the procedure did is decided while it runs" }],
    },
    DoStmt: {
      opinion: "judged",
      unknown: () => "the statements inside a DO block are decided while it runs",
      // A DO block may end transactions itself, but only when it isn't inside one. In
      // other languages than PL/pgSQL this isn't known.
      refusedInTransaction: (_, text) =>
        /\b(commit|rollback)\b/i.test(text) &&
        blockStatements(text)?.some(({ kind }) => /^(commit|rollback)$/.test(kind))
          ? "DO with COMMIT or ROLLBACK inside"
          : undefined,
      takesBack: takenByDo,
      undo: () => [{ of: { kind: "other", key: "DO" }, never: "what its block did is decided while it runs" }],
    },
    CreatePLangStmt: { opinion: "harmless", kind: () => "CREATE LANGUAGE" },
  };

const routine: Dropped = {
  opinion: "judged",
  lock(_name, _schema, effects, { behavior }) {
    if (behavior === "DROP_CASCADE") effects.cannotTell("triggers, defaults and indexes may depend on the function");
  },
  apply(name, schema, { behavior }, object) {
    schema.routines.delete(keyOf(name));
    routineDropped(object, schema);
    if (behavior === "DROP_CASCADE") cascadeDependents(schema, useOf("function", keyOf(name)));
  },
  undo(name, before, { behavior }, object) {
    const of = { kind: "function", key: keyOf(name) } as const;
    if (behavior === "DROP_CASCADE") return [{ of, never: "CASCADE: what depended on it was dropped with it" }];
    return routineAgain("ObjectWithArgs" in object ? object.ObjectWithArgs : undefined, before);
  },
};

/** The rules for DROP FUNCTION and similar statements. */
export const routineDrops: Drops<
  "OBJECT_FUNCTION" | "OBJECT_PROCEDURE" | "OBJECT_ROUTINE" | "OBJECT_AGGREGATE" | "OBJECT_LANGUAGE"
> = {
  OBJECT_FUNCTION: routine,
  OBJECT_PROCEDURE: routine,
  OBJECT_ROUTINE: routine,
  OBJECT_AGGREGATE: { opinion: "judged" },
  OBJECT_LANGUAGE: { opinion: "harmless" },
};

/** Updates the schema after a function or procedure was renamed, including triggers and dependents. */
export function renameRoutine(from: Name, to: Name, schema: Schema): void {
  replaceUse(schema, useOf("function", keyOf(from)), useOf("function", keyOf(to)));
  const routine = schema.routines.get(keyOf(from));
  if (!routine) return;
  schema.routines.delete(keyOf(from));
  schema.routines.set(keyOf(to), routine);
  for (const trigger of schema.triggers.values()) if (trigger.routine === keyOf(from)) trigger.routine = keyOf(to);
}

function languageOf({ options }: CreateFunctionStmt): string {
  return (partsOf(optionOf(options, "language")?.arg)[0] ?? "sql").toLowerCase();
}

function bodyOf({ options }: CreateFunctionStmt): string | undefined {
  return partsOf(optionOf(options, "as")?.arg)[0];
}

function routineOf(statement: CreateFunctionStmt): Routine {
  return {
    volatility: volatilityOf(partsOf(optionOf(statement.options, "volatility")?.arg)[0]),
    mentions: mentionsOf(statement),
    overloads: 1,
    ...signatureOf(statement),
  };
}

/**
 * The parts of a definition that CREATE OR REPLACE can't change: the return type, and the
 * names of parameters whose types stay the same.
 */
export function signatureOf(statement: CreateFunctionStmt): Pick<Routine, "returns" | "parameters"> {
  const { parameters = [], returnType } = statement;
  const all = parameters.flatMap((item) => ("FunctionParameter" in item ? [item.FunctionParameter] : []));
  const typed = ({ name = "", argType }: FunctionParameter) => [name, partsOf(argType?.names).join(".")];
  const out = all.filter(({ mode }) => /OUT|TABLE/.test(mode ?? ""));
  const returned = (type: TypeName | undefined) => [
    type?.setof === true,
    partsOf(type?.names).join("."),
    type?.arrayBounds?.length ?? 0,
  ];
  return {
    returns: JSON.stringify([...returned(returnType), out.map(typed)]),
    parameters: JSON.stringify(all.filter(({ mode }) => !/_OUT|TABLE/.test(mode ?? "")).map(typed)),
  };
}

/** Every name in a function's body; undefined where the text doesn't show them all. */
function mentionsOf(statement: CreateFunctionStmt): Set<string> | undefined {
  const names = new Set<string>();
  walk(statement.sql_body, (node) => {
    if ("RangeVar" in node) names.add(keyOf(nameOf(node.RangeVar)));
    if ("FuncCall" in node) names.add(keyOf(nameOfParts(node.FuncCall.funcname)));
  });
  if (statement.sql_body) return names;
  const [language, body] = [languageOf(statement), bodyOf(statement)];
  if (body === undefined || (language !== "sql" && language !== "plpgsql")) return undefined;
  const tokens = tokensOf(body);
  if (language === "plpgsql" && tokens.some(({ upper }) => upper === "EXECUTE")) return undefined;
  const read = (text: string) => (text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text.toLowerCase());
  for (const [index, { text }] of tokens.entries()) {
    names.add(read(text));
    if (tokens[index + 1]?.text === ".")
      names.add(keyOf({ schema: read(text), name: read(tokens[index + 2]?.text ?? "") }));
  }
  return names;
}

function volatilityOf(text: string | undefined): Routine["volatility"] {
  return text === "immutable" || text === "stable" ? text : "volatile";
}

/** Combines two functions with the same name. Where they differ, the worse case is assumed. */
function both(a: Routine, b: Routine): Routine {
  const order = ["immutable", "stable", "volatile"] as const;
  const volatility = order[Math.max(order.indexOf(a.volatility), order.indexOf(b.volatility))]!;
  return {
    ...b,
    volatility,
    overloads: a.overloads + b.overloads,
    mentions: a.mentions && b.mentions && new Set([...a.mentions, ...b.mentions]),
  };
}

/**
 * Records a function and returns its language. A function is recorded as pure only if it is written in SQL and its text
 * has no effect except its result.
 */
function defineRoutine(statement: CreateFunctionStmt, defined: Defined): string {
  const name = nameOfParts(statement.funcname).name;
  const [language, text] = [languageOf(statement), bodyOf(statement)];
  let pure = false;
  if (statement.sql_body) pure = !changesRows(statement.sql_body) && called(statement.sql_body, defined) === undefined;
  else if (language === "sql" && text !== undefined) {
    try {
      pure = [...parseScript(text)].every(
        ({ node }) =>
          "SelectStmt" in node && !changesRows(node) && called(node, defined) === undefined && !setsPath(node),
      );
    } catch {
      pure = false;
    }
  }
  // If several functions have this name, all of them must be pure.
  defined.functions.set(name, pure && defined.functions.get(name) !== false);
  return language;
}
