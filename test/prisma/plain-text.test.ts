import { describe, expect, test } from "vitest";
import { plainText } from "../../prisma/plain-text";

describe("the text that the parser gets", () => {
  test("has no comments, and no space at the ends of lines", () => {
    expect(plainText('model A { // one\n  id Int @default("a // b") /* two */\n}\n')).toBe(
      'model A {\n  id Int @default("a // b")\n}\n',
    );
  });

  test("keeps the line of each statement where comments and brackets take several lines", () => {
    const text = "/* a\nb */\nmodel A {\n  @@index([\n    a,\n    b\n  ])\n  c Int\n}";
    const plain = plainText(text);
    expect(plain.split("\n").findIndex((line) => line.includes("c Int"))).toBe(7);
    expect(plain.split("\n")[3]).toMatch(/^ {2}@@index\(\[\s+a,\s+b\s+\]\)$/);
  });

  test("takes the line ends of Windows", () => {
    expect(plainText("a\r\nb\r\n")).toBe("a\nb\n");
  });
});
