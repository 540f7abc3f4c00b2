import { z } from "zod";
import { NEON_API, NEON_KEY_VARIABLE } from "../neon";
import { name, secretKey, setting, text } from "../types";

const PROJECT = "the id of a project of Neon, such as floral-king-961888";
const project = z.string({ error: () => PROJECT }).regex(/^[a-z0-9-]{1,60}$/, PROJECT);

const endpoint = z
  .string()
  .regex(
    /^https?:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?(?:\/[A-Za-z0-9._-]+)*$/,
    `the address of Neon's API, such as ${NEON_API}`,
  );

/** The branch of Neon that is made before a migration. */
export const branch = z.strictObject({
  project: setting(project, {
    description: "The project of Neon that the database is in (Neon's console, Settings, Project ID).",
    example: "floral-king-961888",
    without: "required with `backup.mode: branch`",
  }),
  parent: setting(text.optional(), {
    description:
      "The branch that is backed up, by its id or its name. A connection that leads to another one is refused.",
    example: "br-wispy-dew-591433",
    without: "the branch behind the host that the migration connects to",
  }),
  secret: z.strictObject({
    name: setting(name(63), {
      description: "A Secret in the release's namespace with an API key of Neon.",
      example: "notes-neon",
      without: "required with `backup.mode: branch`",
    }),
    key: setting(secretKey.default(NEON_KEY_VARIABLE), {
      description: "Key of the API key in that Secret.",
      example: "api-key",
    }),
  }),
  endpoint: setting(endpoint.default(NEON_API), {
    description: "The address of Neon's API.",
    example: "https://console.neon.tech/api/v2",
  }),
});
