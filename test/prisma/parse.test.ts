import { describe, expect, test } from "vitest";
import { PrismaSyntaxError, parsePrisma } from "../../prisma/parse";

const parse = (text: string) => parsePrisma([{ path: "schema.prisma", text }]);

describe("a Prisma schema", () => {
  test("is read with its datasource, models, enums and views, of several files", () => {
    const read = parsePrisma([
      { path: "a.prisma", text: 'datasource db {\n  provider = "postgresql"\n  schemas = ["public", "auth"]\n}\n' },
      { path: "b.prisma", text: "model A {\n  id Int @id\n}\nview V {\n  id Int\n}\nenum E {\n  x\n}\n" },
    ]);
    expect(read).toMatchObject({ provider: "postgresql", schemas: ["public", "auth"], foreignKeys: true });
    expect(read.models[0]).toMatchObject({ name: "A", place: { path: "b.prisma", line: 1 } });
    expect(read.views).toMatchObject([{ name: "V", place: { path: "b.prisma", line: 4 } }]);
    expect(read.enums[0]?.values).toMatchObject([{ name: "x", place: { line: 8 } }]);
  });

  test("says with relationMode that relations are no foreign keys", () => {
    expect(parse('datasource db {\n  relationMode = "prisma"\n}\n').foreignKeys).toBe(false);
  });

  test("keeps arguments: lists, calls, texts with escapes, numbers", () => {
    const [model] = parse(
      'model A {\n  a String[] @default(["x\\"y", "z"])\n  b Decimal @default(-1.50)\n  @@index([a(sort: Desc)], map: "i")\n}\n',
    ).models;
    expect(model?.fields[0]?.attributes[0]?.args[0]?.value).toEqual({
      kind: "list",
      items: [
        { kind: "text", text: 'x"y' },
        { kind: "text", text: "z" },
      ],
    });
    expect(model?.fields[1]?.attributes[0]?.args[0]?.value).toEqual({ kind: "word", word: "-1.50" });
    expect(model?.attributes[0]).toMatchObject({ name: "index", place: { line: 4 } });
  });

  test("that can't be read is named, with its line", () => {
    expect(() => parse("model A {\n  id Int\n")).toThrow(PrismaSyntaxError);
    expect(() => parse("model A {\n  id Int\n}\nmodel {\n}\n")).toThrow(/^schema\.prisma, line 4 can't be read/);
  });
});
