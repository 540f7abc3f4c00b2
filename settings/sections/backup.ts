import { z } from "zod";
import { duration, setting } from "../types";

/** The snapshot that is taken before a migration. */
export const backup = z.strictObject({
  mode: setting(z.enum(["snapshot", "none"]).default("snapshot"), {
    description: "`none` is allowed where `policy.backup` is `optional`.",
    example: "snapshot",
  }),
  timeout: setting(duration("1s", "2d").prefault("3h"), {
    description: "Time that the snapshot may take until it is `available`; before that, as long for a busy database.",
    example: "6h",
  }),
  maxAge: setting(duration("1m", "30d").prefault("1h"), {
    description:
      "With migrations pending, the Job refuses a snapshot that ended longer ago. Longer than `migrations.soak`.",
    example: "2h",
  }),
  restore: setting(z.string().includes("{snapshot}", { message: "a command with {snapshot} in it" }).optional(), {
    description: "What the output `restore` tells people to type; `{snapshot}` stands for the snapshot's identifier.",
    example: "./restore.sh {snapshot}",
    without: "an `aws rds restore-…` command",
  }),
});
