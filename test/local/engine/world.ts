import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  destroy,
  type EngineEvent,
  type EngineOptions,
  type EngineResult,
  preview,
  type ResourceState,
  refresh,
  type StepEvent,
  stackDirectory,
  up,
} from "../../../local/engine";
import { loadState } from "../../../local/engine/state";
import { FakeProvider } from "./fake-provider";

/** A resource of the fixture program `resources`; "@a.address" is an output of a, "secret:x" a secret. */
export interface Described {
  name: string;
  type?: string;
  inputs?: Record<string, unknown>;
  /** Type of a component. */
  component?: string;
  /** Id of something that exists already and is only read. */
  get?: string;
  options?: Record<string, unknown>;
}

export interface Run extends EngineResult {
  /** Operations in the order in which they began, "create a"; neither the stack's nor what failed to begin. */
  steps: string[];
  failed: string[];
  events: EngineEvent[];
  /** Texts of diagnostics. */
  told: string[];
}

export const FIXTURES = join(__dirname, "fixtures");

/** One stack with its own state directory and its own cloud in memory. */
export class World {
  readonly directory = mkdtempSync(join(tmpdir(), "engine world-"));
  readonly cloud = new FakeProvider();
  readonly project = "world";

  constructor(readonly stack = "test") {}

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  options(
    resources: Described[],
    more: Partial<EngineOptions> & { outputs?: Record<string, unknown> } = {},
  ): EngineOptions {
    const { outputs, config, ...rest } = more;
    return {
      directory: join(FIXTURES, "resources"),
      project: this.project,
      stack: this.stack,
      stateDir: this.directory,
      providers: { fake: this.cloud },
      config: {
        "world:resources": JSON.stringify(resources),
        "world:outputs": JSON.stringify(outputs ?? {}),
        ...config,
      },
      ...rest,
    };
  }

  up = (...args: Parameters<World["options"]>): Promise<Run> => this.run(up, ...args);
  preview = (...args: Parameters<World["options"]>): Promise<Run> => this.run(preview, ...args);
  destroy = (more: Partial<EngineOptions> = {}): Promise<Run> => this.run(destroy, [], more);
  refresh = (more: Partial<EngineOptions> = {}): Promise<Run> => this.run(refresh, [], more);

  urn(name: string, type = "fake:index:Thing"): string {
    return `urn:pulumi:${this.stack}::world::${type}::${name}`;
  }

  get stateFile(): string {
    return join(stackDirectory(this.directory, this.project, this.stack), "state.json");
  }

  /** All files of the stack in one text. */
  get stateText(): string {
    return readFileSync(this.stateFile, "utf8");
  }

  /** What the state holds besides the stack and default providers, by name. */
  async resources(): Promise<Record<string, ResourceState>> {
    const state = loadState(stackDirectory(this.directory, this.project, this.stack));
    const own = (state?.resources ?? []).filter(({ type }) => !type.startsWith("pulumi:"));
    return Object.fromEntries(own.map((it) => [it.urn.split("::").at(-1) + (it.delete ? " (to delete)" : ""), it]));
  }

  private async run(operation: typeof up, ...args: Parameters<World["options"]>): Promise<Run> {
    this.cloud.calls.length = 0;
    const options = this.options(...args);
    const events: EngineEvent[] = [];
    const given = options.onEvent;
    const onEvent = (event: EngineEvent) => {
      events.push(event);
      given?.(event);
    };
    const result = await operation({ ...options, onEvent });
    const steps = events.filter((event): event is StepEvent => event.kind === "step" && event.type !== STACK);
    const title = ({ op, name }: StepEvent) => `${op} ${name}`;
    return {
      ...result,
      events,
      steps: steps.filter(({ status }) => status === "started").map(title),
      failed: steps.filter(({ status }) => status === "failed").map(title),
      told: events.flatMap((event) => (event.kind === "diagnostic" ? [event.message] : [])),
    };
  }
}

const STACK = "pulumi:pulumi:Stack";
