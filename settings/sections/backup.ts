import { z } from "zod";
import { duration, image, setting } from "../types";
import { dump } from "./dump";

/** The snapshot or dump that is taken before a migration. */
export const backup = z.strictObject({
  mode: setting(z.enum(["snapshot", "dump", "none"]).default("snapshot"), {
    description:
      "`snapshot` is one of RDS; `dump` is made by `pg_dump` of any server, see backup.md. `none` is allowed where `policy.backup` is `optional`.",
    example: "snapshot",
  }),
  timeout: setting(duration("1s", "2d").prefault("3h"), {
    description:
      "Time that the snapshot may take until it is `available`; before that, as long for a busy database. Time that the dump may take until it is stored and checked.",
    example: "6h",
  }),
  maxAge: setting(duration("1m", "30d").prefault("1h"), {
    description:
      "With migrations pending, the Job refuses a snapshot or dump that ended longer ago. Longer than `migrations.soak`.",
    example: "2h",
  }),
  restore: setting(z.string().includes("{snapshot}", { message: "a command with {snapshot} in it" }).optional(), {
    description: "What the output `restore` tells people to type; `{snapshot}` stands for the snapshot's identifier.",
    example: "./restore.sh {snapshot}",
    without: "`npm run restore -- --stack STACK --to {snapshot}`",
  }),
  image: setting(image.optional(), {
    description:
      "With `dump`: an image with `pg_dump`, `pg_restore` and `sh`, of the server's major version or a newer one.",
    example: "postgres:17-alpine",
    without: "required with `backup.mode: dump`",
  }),
  dump: dump.optional(),
});
