import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { rulesByClass, rulesCatalogue } from "../review/catalogue";
import { loadParser } from "../review/review";
import { checksTable, settingsTable } from "../settings/documentation";
import { stackFileSchema } from "../settings/json-schema";

/**
 * `npm run docs` writes what of the documentation is made of the code; with `-- --check` it only says what is stale, with
 * exit status 1. In a page, what is made stands between `<!-- npm run docs: NAME WORDS -->` and `<!-- end -->`.
 */
const parts: Readonly<Record<string, (words: readonly string[]) => string>> = {
  settings: settingsTable,
  checks: ([when = ""]) => checksTable(when),
  "rules-by-class": rulesByClass,
  rules: rulesCatalogue,
};

const root = join(__dirname, "..");
const between = /(<!-- npm run docs: (.*) -->\n)[\s\S]*?<!-- end -->/g;

/** Every file that is made of the code wholly or in parts, as it has to be, by its path in the project. */
function generatedFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const name of readdirSync(__dirname).filter((each) => each.endsWith(".md"))) {
    const page = readFileSync(join(__dirname, name), "utf8");
    const made = page.replace(between, (_, begin: string, words: string) => {
      const [kind = "", ...rest] = words.split(" ");
      const part = parts[kind];
      if (!part) throw new Error(`docs/${name} asks for "${words}"; there is ${Object.keys(parts).join(", ")}.`);
      return `${begin}\n${part(rest)}\n\n<!-- end -->`;
    });
    files.set(`docs/${name}`, made);
  }
  const { name: project } = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as { name: string };
  files.set("docs/settings.schema.json", `${JSON.stringify(stackFileSchema(project), null, 2)}\n`);
  return files;
}

/** Those of them that are not as they have to be. */
export async function staleFiles(): Promise<[path: string, text: string][]> {
  await loadParser();
  return [...generatedFiles()].filter(([path, text]) => read(path) !== text);
}

function read(path: string): string | undefined {
  const file = join(root, path);
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

async function main(check: boolean): Promise<void> {
  for (const [path, text] of await staleFiles()) {
    if (!check) writeFileSync(join(root, path), text);
    console.log(check ? `${path} is not what the code says. Write it anew: npm run docs` : `Wrote ${path}`);
    if (check) process.exitCode = 1;
  }
}

if (require.main === module) void main(process.argv.includes("--check"));
