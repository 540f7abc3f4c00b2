import { NeonApi } from "../../backup/neon/api";
import { LOCAL_NEON_VARIABLE, NEON_KEY_VARIABLE } from "../../settings/neon";
import { CommandFailure, EXIT } from "../failure";
import type { CommandStack } from "../stack";

/**
 * Reaches Neon's API for the project of a stack. The key is that of the person who types the command, from the variable
 * NEON_API_KEY: the one in the cluster's Secret is for the release alone.
 * @param signal is aborted by Ctrl-C, or when there is no time left
 * @param say told of each wait
 * @throws CommandFailure if the settings name no project, or there is no key
 */
export function neonApi(
  { name, settings: { backup } }: CommandStack<"backup">,
  signal: AbortSignal,
  say: (line: string) => void = () => {},
): NeonApi {
  if (!backup.branch)
    throw new CommandFailure(
      EXIT.usage,
      `backup.branch of stack "${name}" is not set, so its project of Neon is unknown.`,
      undefined,
      "set backup.mode: branch and backup.branch (docs/hosts/neon.md)",
    );
  const key = process.env[NEON_KEY_VARIABLE]?.trim() ?? "";
  if (key === "")
    throw new CommandFailure(
      EXIT.usage,
      `There is no API key of Neon: ${NEON_KEY_VARIABLE} is not set.`,
      "not connected to; nothing was changed.",
      `export ${NEON_KEY_VARIABLE}=… (Neon's console, Settings, API keys), then the same command again`,
    );
  const { project, endpoint } = backup.branch;
  let last: string | undefined;
  const onWait = (reason: string) => {
    if (reason !== last) say(`  Neon: ${reason}; trying again`);
    last = reason;
  };
  return new NeonApi({ endpoint: process.env[LOCAL_NEON_VARIABLE] ?? endpoint, key, project, signal, onWait });
}
