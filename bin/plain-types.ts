import { writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import ts from "typescript";

/**
 * Rewrites the declarations of the package so that none needs zod: a type that is inferred from a schema is written out,
 * and the schemas themselves are left out. Without this, a program with Pulumi's usual tsconfig can't be compiled,
 * because zod's declarations need `esModuleInterop`; and every compilation would have to check them.
 *
 * @param folder the absolute path of the declarations
 * @param entry the absolute path of the package's own declaration
 */
export function writePlainTypes(folder: string, entry: string): void {
  const program = ts.createProgram([entry], {
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    target: ts.ScriptTarget.ES2023,
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    types: ["node"],
  });
  const files = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(`${folder}/`));
  const exported = new Map(files.flatMap((file) => namesOf(file).map((name) => [name, file.fileName] as const)));
  for (const file of files) {
    if (!/from "zod"/.test(file.text)) continue;
    const written = file.statements.flatMap((statement) => plain(statement, program.getTypeChecker()));
    writeFileSync(file.fileName, [...importsFor(written.join(""), file, exported), ...written, "\n"].join(""));
  }
}

/** The use of a type of zod. */
const USES_ZOD = /\bz\.|typeof \w+/;

/** Returns a statement without zod; an empty list if it is of no use without. */
function plain(statement: ts.Statement, checker: ts.TypeChecker): string[] {
  if (ts.isImportDeclaration(statement)) return statement.getText().includes('"zod"') ? [] : [statement.getFullText()];
  if (!USES_ZOD.test(statement.getText())) return [statement.getFullText()];
  if (!ts.isTypeAliasDeclaration(statement) && !ts.isInterfaceDeclaration(statement)) return [];
  const comment = statement.getFullText().slice(0, statement.getStart() - statement.getFullStart());
  const { NoTruncation, InTypeAlias, MultilineObjectLiterals } = ts.TypeFormatFlags;
  const type = checker.getTypeAtLocation(statement.name);
  if (ts.isTypeAliasDeclaration(statement)) {
    const text = checker.typeToString(type, undefined, NoTruncation | InTypeAlias | MultilineObjectLiterals);
    return [`${comment}export type ${statement.name.text} = ${text};`];
  }
  const members = type.getProperties().map((property) => {
    const text = checker.typeToString(checker.getTypeOfSymbol(property), undefined, NoTruncation | InTypeAlias);
    return `    readonly ${property.name}: ${text};\n`;
  });
  return [`${comment}export interface ${statement.name.text} {\n${members.join("")}}`];
}

/** Returns the names that a file exports. */
function namesOf(file: ts.SourceFile): string[] {
  return file.statements.flatMap((statement) =>
    (ts.isClassDeclaration(statement) ||
      ts.isInterfaceDeclaration(statement) ||
      ts.isTypeAliasDeclaration(statement)) &&
    statement.name
      ? [statement.name.text]
      : [],
  );
}

/** Returns an import for each type that the text uses and that its file neither contains nor imports. */
function importsFor(text: string, file: ts.SourceFile, exported: ReadonlyMap<string, string>): string[] {
  return [...exported].flatMap(([name, from]) => {
    const used = new RegExp(`[:|&<([] ?${name}\\b`).test(text);
    const known = from === file.fileName || new RegExp(`import[^;]*\\b${name}\\b`).test(text);
    if (!used || known) return [];
    const path = relative(dirname(file.fileName), from).replace(/\.d\.ts$/, "");
    return [`import type { ${name} } from "${path.startsWith(".") ? path : `./${path}`}";\n`];
  });
}
