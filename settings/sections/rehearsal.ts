import { z } from "zod";
import { command, duration, memory, name, secretKey, setting } from "../types";

const CLASS = "an instance class of RDS, such as db.r6g.large";

/** The rehearsal of the migrations on a copy of the database, before the database itself gets them. */
export const rehearsal = z.strictObject({
  mode: setting(z.enum(["none", "copy"]).default("none"), {
    description:
      "`copy`: each release with migrations first applies them to a copy of the database, and ends before the database is touched if they fail there; see rehearsal.md. With `none` people rehearse by hand, `npm run ops -- rehearse`.",
    example: "copy",
  }),
  from: setting(z.enum(["snapshot", "pitr", "dump", "branch"]).optional(), {
    description:
      "What the copy is made of: a snapshot of RDS, the latest moment of its automated backups (`pitr`), a dump, or a branch of Neon.",
    example: "pitr",
    without: "in a release, its own backup; by hand the newest there is: `pitr` of RDS, the last dump, a new branch",
  }),
  class: setting(
    z
      .string()
      .regex(/^db\.[a-z0-9.-]+$/, CLASS)
      .optional(),
    {
      description:
        "The instance class of the copy, with RDS. On a smaller one everything takes longer than in production.",
      example: "db.r6g.large",
      without: "that of the database",
    },
  ),
  keep: setting(duration("10m", "7d").optional(), {
    description:
      "Time for which the copy stays after the rehearsal, for people to look at. When it is over, the next `up`, rehearsal or `ops prune` removes it; the next rehearsal removes it sooner.",
    example: "4h",
    without: "the copy is deleted at once",
  }),
  into: z
    .strictObject({
      secret: setting(name(63), {
        description:
          "With dumps: a Secret in the release's namespace with the URL of a database on another server, beside which the copy is made. Its role needs CREATEDB.",
        example: "notes-rehearsal-server",
        without: "required with dumps, because a rehearsal on production's own server would load it",
      }),
      key: setting(secretKey.default("url"), {
        description: "Key of that URL in the Secret.",
        example: "direct-url",
      }),
    })
    .optional(),
  command: setting(command.optional(), {
    description:
      "The app's own check, which only reads: program and arguments, run in `app.image` after the migrations, with the connection of the copy in place of the database's.",
    example: ["node", "check.mjs"],
    without: "no check of the app's own",
  }),
  timeout: setting(duration("1m", "2d").prefault("3h"), {
    description: "Time that the whole rehearsal may take. When it is over, the copy is deleted.",
    example: "6h",
  }),
  maxAge: setting(duration("1m", "90d").prefault("3d"), {
    description: "Time after which a rehearsal proves nothing any more, because the data have changed.",
    example: "1d",
  }),
  limits: z
    .strictObject({
      duration: setting(duration("1s", "2d").optional(), {
        description: "Longest time that all migrations may take on the copy.",
        example: "10m",
        without: "any time",
      }),
      blockedFor: setting(duration("1s", "2d").optional(), {
        description: "Longest time for which a migration may keep others from writing to a table or reading it.",
        example: "5s",
        without: "any time",
      }),
      diskGrowth: setting(memory.optional(), {
        description: "Most that the database may grow by the migrations.",
        example: "20Gi",
        without: "any growth",
      }),
    })
    .prefault({}),
});
