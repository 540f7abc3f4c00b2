import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders: string[] = [];

const SETTINGS = {
  app: { name: "notes" },
  database: { identifier: "notes-db", secret: { name: "notes-database" } },
  migrations: { directory: "migrations" },
};

/**
 * A Pulumi project with one migration and these stacks. What a stack doesn't set has values that are right; keys with a
 * colon are other configuration.
 */
export function projectFolder(stacks: Record<string, Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), "ops project "));
  folders.push(folder);
  mkdirSync(join(folder, "migrations/1_init"), { recursive: true });
  writeFileSync(join(folder, "migrations/migration_lock.toml"), 'provider = "postgresql"\n');
  writeFileSync(join(folder, "migrations/1_init/migration.sql"), "SELECT 1;\n");
  // JSON is YAML.
  writeFileSync(join(folder, "Pulumi.yaml"), JSON.stringify({ name: "shop", runtime: "nodejs" }));
  for (const [name, given] of Object.entries(stacks)) {
    const config = Object.entries({ ...SETTINGS, ...given }).map(([key, value]) => [
      key.includes(":") ? key : `release:${key}`,
      value,
    ]);
    writeFileSync(join(folder, `Pulumi.${name}.yaml`), JSON.stringify({ config: Object.fromEntries(config) }));
  }
  return folder;
}

export function removeFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
