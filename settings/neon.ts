/** The address of Neon's API, unless the settings name another: https://api-docs.neon.tech. */
export const NEON_API = "https://console.neon.tech/api/v2";

/** The variable of the API key, by Neon's own convention: https://neon.com/docs/reference/neon-cli. */
export const NEON_KEY_VARIABLE = "NEON_API_KEY";

/** The variable with the address of the local cloud's stand-in, which takes the place of Neon's API. */
export const LOCAL_NEON_VARIABLE = "RELEASE_LOCAL_NEON";

/** Returns where a branch of Neon is, for messages and outputs. */
export function branchLocation(project: string, name: string): string {
  return `neon://${project}/${name}`;
}
