import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(__dirname, "../..");
const local = manifest("local/package.json");
const root = manifest("package.json");

interface Manifest {
  private?: boolean;
  dependencies: Record<string, string>;
  devDependencies?: Record<string, string>;
}

function manifest(path: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, path), "utf8")) as Manifest;
}

/** The packages that files of local/ import, `@grpc/grpc-js` for `@grpc/grpc-js/build/x`. */
function importedPackages(): string[] {
  const files = readdirSync(join(ROOT, "local"), { recursive: true, encoding: "utf8" });
  const text = files
    .filter((name) => /\.c?[jt]s$/.test(name) && !name.startsWith("node_modules"))
    .map((name) => readFileSync(join(ROOT, "local", name), "utf8"))
    .join("\n");
  const specifiers = [...text.matchAll(/(?:from |require\(|resolve\()"([^".][^"]*)"/g)].map(([, name]) => name!);
  const packages = specifiers.map((name) => name.split("/", name.startsWith("@") ? 2 : 1).join("/"));
  return [...new Set(packages)].filter((name) => !name.startsWith("node:") && !builtinModules.includes(name)).sort();
}

test("local/ names every package that it imports as its own dependency", () => {
  expect(local.private).toBe(true);
  expect(importedPackages().filter((name) => !(name in local.dependencies))).toEqual([]);
});

test("a package that local/ and the program both use has one version", () => {
  const versions = { ...root.devDependencies, ...root.dependencies };
  for (const [name, version] of Object.entries(local.dependencies)) expect(versions[name] ?? version).toBe(version);
});

test("what only local/ needs is not installed with the program", () => {
  expect(Object.keys(root.dependencies).filter((name) => /autocannon|embedded|grpc|commander/.test(name))).toEqual([]);
});
