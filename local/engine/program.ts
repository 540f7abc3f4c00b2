import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { PARALLEL } from "./deployment";
import type { EngineOptions } from "./events";

/** The exit code with which the SDK reports that it has printed the error already (sdk/nodejs/cmd/run). */
const ALREADY_TOLD = 32;
const STDERR_LINES = 40;
/** The time that a program has to end by itself once all steps are done. */
const LAST_WORDS_MS = 5_000;

export interface ProgramEnd {
  ok: boolean;
  /** The cause of the failure; missing if the program has printed it already. */
  message?: string;
}

/** The Pulumi program in its own process, started in the same way as Pulumi's Node.js language host starts it. */
export class Program {
  readonly ended: Promise<ProgramEnd>;
  private readonly child: ChildProcess;
  private readonly stderr: string[] = [];
  private killed = false;

  constructor(options: EngineOptions, address: string, preview: boolean, onLine: (line: string) => void) {
    const { directory, project, stack } = options;
    const { pwd, main, typescript, tsconfig, nodeArgs } = projectFile(directory);
    const flags = Object.entries({
      monitor: address,
      engine: address,
      organization: "organization",
      project,
      "root-directory": directory,
      stack,
      pwd,
      parallel: String(PARALLEL),
    }).flatMap(([name, value]) => [`--${name}`, value]);
    const run = createRequire(join(directory, "index.js")).resolve("@pulumi/pulumi/cmd/run");
    const script = [run, ...flags, ...(preview ? ["--dry-run"] : []), main];
    this.child = spawn(process.execPath, ["--require", join(__dirname, "preload.cjs"), ...nodeArgs, ...script], {
      cwd: pwd,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // The program leaves the terminal's process group: Ctrl-C must reach only the engine, which finishes its steps.
      detached: true,
      env: {
        ...process.env,
        ...options.variables,
        PULUMI_CONFIG: JSON.stringify(options.config),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(options.secretKeys ?? []),
        ...(typescript ? { PULUMI_NODEJS_TYPESCRIPT: "true" } : {}),
        ...(tsconfig ? { PULUMI_NODEJS_TSCONFIG_PATH: tsconfig } : {}),
      },
    });
    eachLine(this.child.stdout, onLine);
    eachLine(this.child.stderr, (line) => {
      this.stderr.push(line);
      if (this.stderr.length > STDERR_LINES) this.stderr.shift();
      onLine(line);
    });
    this.ended = new Promise((settle) => {
      this.child.once("error", (error) =>
        settle({ ok: false, message: `The program could not start: ${error.message}` }),
      );
      this.child.once("close", (code, signal) => settle(this.judge(code, signal)));
    });
  }

  kill(): void {
    this.killed = true;
    this.child.kill("SIGKILL");
  }

  /** Waits until the program ends. After `LAST_WORDS_MS` it is killed, which counts as a success. */
  async finish(): Promise<ProgramEnd> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.kill();
    }, LAST_WORDS_MS);
    try {
      const ended = await this.ended;
      return late ? { ok: true } : ended;
    } finally {
      clearTimeout(timer);
    }
  }

  private judge(code: number | null, signal: NodeJS.Signals | null): ProgramEnd {
    if (code === 0 || this.killed) return { ok: code === 0 };
    if (code === ALREADY_TOLD) return { ok: false };
    const how = signal ? `was ended by ${signal}` : `ended with exit status ${code}`;
    return { ok: false, message: [`The program ${how}.`, ...this.stderr].join("\n") };
  }
}

interface ProjectFile {
  runtime?: string | { name?: string; options?: { typescript?: boolean; tsconfig?: string; nodeargs?: string } };
  main?: string;
}

interface Launch {
  /** The directory in which the program runs. */
  pwd: string;
  /** The program's entry point; "." lets the SDK find it. */
  main: string;
  typescript: boolean;
  tsconfig?: string | undefined;
  nodeArgs: string[];
}

function projectFile(directory: string): Launch {
  const file = parse(readFileSync(join(directory, "Pulumi.yaml"), "utf8")) as ProjectFile;
  const runtime = typeof file.runtime === "string" ? { name: file.runtime } : file.runtime;
  if (runtime?.name !== "nodejs")
    throw new Error(`${directory}/Pulumi.yaml: the embedded engine runs "nodejs" programs`);
  const options = runtime.options ?? {};
  const main = resolve(directory, file.main ?? ".");
  const isFolder = statSync(main).isDirectory();
  return {
    pwd: isFolder ? main : directory,
    main: isFolder ? "." : main,
    typescript: options.typescript ?? true,
    tsconfig: options.tsconfig,
    nodeArgs: options.nodeargs?.split(/\s+/).filter(Boolean) ?? [],
  };
}

function eachLine(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  let rest = "";
  stream?.setEncoding("utf8");
  stream?.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
  stream?.on("end", () => {
    if (rest !== "") onLine(rest);
  });
}
