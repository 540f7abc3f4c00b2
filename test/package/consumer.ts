import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { stopCloud } from "../../local/cloud/client";
import { readCheckpoint } from "../../local/plugin/checkpoint";

const CHECKOUT = resolve(__dirname, "../..");

/** The engine that runs the program: `embedded`, or `pulumi`, for which the Pulumi CLI must be on the PATH. */
const ENGINE = process.env["TEST_PACKAGE_ENGINE"] ?? "embedded";

/** Pulumi's own template for a program in TypeScript (`pulumi new typescript`). */
const USUAL_TSCONFIG = {
  compilerOptions: {
    strict: true,
    outDir: "bin",
    target: "es2020",
    module: "commonjs",
    moduleResolution: "node",
    sourceMap: true,
    experimentalDecorators: true,
    pretty: true,
    noFallthroughCasesInSwitch: true,
    noImplicitReturns: true,
    forceConsistentCasingInFileNames: true,
  },
  files: ["index.ts", "wrong.ts"],
};

/** The settings of the local stack of such a program, with a key of its own that has the name of a setting. */
const CONFIG = {
  "shop:instanceType": "t4g.small",
  "shop:database": "large",
  "release:app": { name: "shop", image: "notes:1.0.0", preStop: "1s", replicas: 1, terminationGrace: "20s" },
  "release:database": { identifier: "shop-db", secret: { name: "shop-database" } },
  "release:migrations": { directory: "migrations", deadline: "5m", statementTimeout: "1m", soak: "1s" },
  "release:service": { type: "NodePort", host: "127.0.0.1" },
};

export interface Ran {
  status: number | null;
  output: string;
  milliseconds: number;
}

/** A Pulumi program of another team, in an empty project, with the package as `npm install` installs it. */
export class Consumer {
  readonly folder = mkdtempSync(join(tmpdir(), "release-package-"));
  private readonly stateDir = join(this.folder, ".local");

  /** Packs the package and installs it from the file, and everything else from the registry. */
  install(): void {
    execFileSync("npm", ["pack", "--silent", "--pack-destination", this.folder], {
      cwd: CHECKOUT,
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.write("package.json", { name: "shop-infra", private: true, main: "index.ts" });
    const wanted = ["./postgres-release-0.1.0.tgz", "typescript@5.9.3", "@types/node@20.19.43"];
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", "--silent", ...wanted], {
      cwd: this.folder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.write("Pulumi.yaml", "name: shop\nruntime: nodejs\n");
    this.write("tsconfig.json", USUAL_TSCONFIG);
    const { compilerOptions } = USUAL_TSCONFIG;
    const node16 = { ...compilerOptions, module: "node16", moduleResolution: "node16" };
    this.write("tsconfig.node16.json", { ...USUAL_TSCONFIG, compilerOptions: node16 });
    cpSync(join(CHECKOUT, "examples/app/prisma/migrations"), join(this.folder, "migrations"), { recursive: true });
    this.configure();
  }

  /** Writes the stack's file, with changes to it. */
  configure(changes: Record<string, unknown> = {}): void {
    this.write("Pulumi.local.yaml", { config: { ...CONFIG, ...changes } });
  }

  write(file: string, content: object | string): void {
    const path = join(this.folder, file);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  }

  removeMigration(name: string): void {
    rmSync(join(this.folder, "migrations", name), { recursive: true, force: true });
  }

  /** Runs a program of the consumer's own node_modules/.bin. */
  async bin(name: string, ...words: string[]): Promise<Ran> {
    return this.run(join(this.folder, "node_modules/.bin", name), words, this.folder);
  }

  /** Runs a verb of `npm run local` on the program. */
  async local(verb: string, ...words: string[]): Promise<Ran> {
    const where = ["--cwd", this.folder, "--state-dir", this.stateDir, "--engine", ENGINE];
    return this.run(process.execPath, ["--import", "tsx", "local/main.ts", verb, ...words, ...where], CHECKOUT);
  }

  /** The resources in the state of the stack. */
  resources(): any[] {
    if (ENGINE === "pulumi") return readCheckpoint(this.stateDir, "shop", "local")?.checkpoint.latest?.resources ?? [];
    return JSON.parse(readFileSync(join(this.stateDir, "shop/local/state.json"), "utf8")).deployment.resources;
  }

  async outputs(): Promise<any> {
    const { output } = await this.local("outputs", "--json");
    return JSON.parse(output);
  }

  async end(): Promise<void> {
    await stopCloud(join(this.stateDir, "shop/local/cloud"));
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async run(program: string, words: string[], cwd: string): Promise<Ran> {
    const began = Date.now();
    const child = spawn(program, words, {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      // Types are checked by a test of their own.
      env: { ...process.env, FORCE_COLOR: "0", PULUMI_NODEJS_TRANSPILE_ONLY: "true" },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text) => (output += text));
    const tooLong = setTimeout(() => child.kill("SIGKILL"), 600_000);
    const status = await new Promise<number | null>((ended) => child.once("close", ended));
    clearTimeout(tooLong);
    return { status, output, milliseconds: Date.now() - began };
  }
}

/** The program that a page shows as the first one below a heading. */
export function shownProgram(page: string, heading: string): string {
  const text = readFileSync(join(CHECKOUT, page), "utf8");
  const after = text.slice(text.indexOf(`# ${heading}\n`));
  const [, program] = /```ts\n([\s\S]*?)```/.exec(after) ?? [];
  if (program === undefined) throw new Error(`${page} shows no program below "${heading}"`);
  return program;
}
