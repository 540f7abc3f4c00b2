import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { type CheckFailure, type Json, type Properties, type Provider, UNKNOWN } from "../provider";
import { runCommand } from "./run";

export interface CommandProviderOptions {
  /** Called with each line that a command prints, if the command's `logging` allows it. */
  log?(urn: string, line: string): void;
  /** Variables for every command, such as the PATH of the local cloud's tools; a command's own ones override them. */
  environment?: Record<string, string>;
}

/** The function that runs a command which is no resource. Its lines are logged under this name. */
export const RUN = "command:local:run";

const type = "command:local:Command";
const unsupported = ["assetPaths", "archivePaths"];
const inputTypes: Record<string, "string" | "strings" | "boolean" | "map" | "list"> = {
  addPreviousOutputInEnv: "boolean",
  create: "string",
  delete: "string",
  dir: "string",
  environment: "map",
  interpreter: "strings",
  logging: "string",
  stdin: "string",
  triggers: "list",
  update: "string",
};
const loggings = ["stdout", "stderr", "stdoutAndStderr", "none"];

/**
 * `command.local.Command` as in @pulumi/command 1.2. It runs commands at create, update and delete, but not in a
 * preview or when nothing changed. A change of `triggers` replaces the resource. A failed create leaves nothing in the
 * state.
 */
export function createCommandProvider({ log, environment = {} }: CommandProviderOptions = {}): Provider {
  function check(news: Properties): CheckFailure[] {
    const failures: CheckFailure[] = [];
    for (const [property, value] of Object.entries(news)) {
      const wanted = inputTypes[property];
      if (unsupported.includes(property)) {
        failures.push({
          property,
          reason: "the local engine does not collect files of a command; read them in the program",
        });
      } else if (!wanted) {
        failures.push({ property, reason: `an input named ${property} is not known to ${type}` });
      } else if (!fits(value, wanted)) {
        failures.push({ property, reason: `expected ${wanted}, got ${JSON.stringify(value)}` });
      } else if (property === "logging" && value !== UNKNOWN && value !== null && !loggings.includes(String(value))) {
        failures.push({ property, reason: `expected one of ${loggings.join(", ")}, got ${JSON.stringify(value)}` });
      }
    }
    return failures;
  }

  /** Runs one of the commands of `inputs`; `before` are the previous outputs, which are added to its environment. */
  async function run(
    { urn, timeout, signal }: { urn: string; timeout: number; signal?: AbortSignal | undefined },
    command: Json | undefined,
    inputs: Properties,
    before: Properties,
  ): Promise<Properties> {
    const kept = { stdout: before["stdout"] ?? "", stderr: before["stderr"] ?? "" };
    if (typeof command !== "string") return kept;
    const logged = (stream: "stdout" | "stderr") =>
      [undefined, null, "stdoutAndStderr", stream].includes(inputs["logging"] as string | undefined | null);
    const { stdout, stderr } = await runCommand({
      command,
      interpreter: (inputs["interpreter"] as string[] | undefined) ?? ["/bin/sh", "-c"],
      directory: inputs["dir"] as string | undefined,
      environment: {
        ...environment,
        ...(inputs["addPreviousOutputInEnv"] === false ? {} : previousOutput(kept)),
        ...(inputs["environment"] as Record<string, string> | undefined),
      },
      stdin: inputs["stdin"] as string | undefined,
      timeout: timeout > 0 ? timeout * 1000 : undefined,
      signal,
      onLine: (stream, line) => logged(stream) && log?.(urn, line),
    });
    return { stdout, stderr };
  }

  return {
    check: async ({ urn, news }) => {
      if (!isCommand(urn)) throw new Error(`The local engine has no resource ${urn.split("::")[2]}; it has ${type}.`);
      const given = Object.entries(news).filter(([, value]) => value !== null);
      return { inputs: Object.fromEntries(given), failures: check(news) };
    },

    async diff({ oldInputs, news, ignoreChanges }) {
      const names = [...new Set([...Object.keys(oldInputs), ...Object.keys(news)])];
      const diffs = names.filter(
        (name) =>
          !ignoreChanges.includes("*") &&
          !ignoreChanges.includes(name) &&
          (hasUnknown(news[name]) || !isDeepStrictEqual(oldInputs[name] ?? null, news[name] ?? null)),
      );
      return {
        changes: diffs.length > 0 ? "some" : "none",
        diffs,
        replaces: diffs.filter((name) => name === "triggers"),
        deleteBeforeReplace: false,
      };
    },

    async create({ urn, inputs, timeout, preview, signal }) {
      const id = `${urn.slice(urn.lastIndexOf("::") + 2)}${randomBytes(4).toString("hex")}`;
      if (preview) return { id: "", outputs: { ...inputs, stdout: UNKNOWN, stderr: UNKNOWN } };
      return { id, outputs: { ...inputs, ...(await run({ urn, timeout, signal }, inputs["create"], inputs, {})) } };
    },

    async update({ urn, inputs, olds, timeout, preview, signal }) {
      if (preview) return { ...inputs, stdout: UNKNOWN, stderr: UNKNOWN };
      return {
        ...inputs,
        ...(await run({ urn, timeout, signal }, inputs["update"] ?? inputs["create"], inputs, olds)),
      };
    },

    // A command has no data outside the state that could be read.
    read: async ({ id, inputs, olds }) => ({ id, inputs, outputs: olds }),

    async delete({ urn, olds, timeout, signal }) {
      await run({ urn, timeout, signal }, olds["delete"], olds, olds);
    },

    async invoke({ token, args, preview }) {
      if (token !== RUN) throw new Error(`The local engine has no function ${token}.`);
      // Like the real function, it runs in previews too, because a function has no other way to return a value.
      void preview;
      const outputs = await run({ urn: token, timeout: 0 }, args["command"], args, {});
      return { ...args, ...outputs };
    },
  };
}

function previousOutput({ stdout, stderr }: { stdout: Json; stderr: Json }): Record<string, string> {
  return {
    ...(typeof stdout === "string" && stdout !== "" ? { PULUMI_COMMAND_STDOUT: stdout } : {}),
    ...(typeof stderr === "string" && stderr !== "" ? { PULUMI_COMMAND_STDERR: stderr } : {}),
  };
}

function isCommand(urn: string): boolean {
  return urn.split("::")[2]!.split("$").at(-1) === type;
}

function fits(value: Json, wanted: string): boolean {
  if (value === null || value === UNKNOWN) return true;
  if (wanted === "list") return Array.isArray(value);
  if (wanted === "strings") return Array.isArray(value) && value.every((item) => typeof item === "string");
  if (wanted !== "map") return typeof value === wanted;
  return typeof value === "object" && !Array.isArray(value) && Object.values(value).every((v) => typeof v === "string");
}

function hasUnknown(value: Json | undefined): boolean {
  if (value === UNKNOWN) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}
