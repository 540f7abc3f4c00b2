import { z } from "zod";
import { isObjectPattern, OBJECT_PATTERN } from "../drift-objects";
import { cronSchedule, duration, name, secretKey, setting, text } from "../types";

const REASON = "a reason, as a text";

const ignored = z.strictObject({
  object: text.refine(isObjectPattern, OBJECT_PATTERN),
  reason: z.string({ error: () => REASON }).regex(/\S/, REASON),
});

/** The search for what was changed by hand in the database, on a schedule. */
export const drift = z.strictObject({
  schedule: setting(cronSchedule.optional(), {
    description:
      "When a CronJob compares the live database with its history, in the cluster's time zone. Its Job fails if something differs, or if that can't be told; see migrator.md.",
    example: "30 6 * * *",
    without: "only preflight, and people by `npm run ops -- drift`",
  }),
  ignore: setting(z.array(ignored).default([]), {
    description:
      "Objects that may differ: a kind, or an object as a report names it, in which `*` stands for any text. Parts of such an object are ignored with it. Reports name what is ignored, with the reason. Preflight and `npm run ops -- drift` respect it too.",
    values: "list of `{object, reason}`",
    example: [{ object: "index public.notes_report_*", reason: "The reporting team makes and drops them." }],
  }),
  secret: z
    .strictObject({
      name: setting(name(63), {
        description:
          "A Secret in the release's namespace with the URL of a role of the CronJob's own, which may only read; see migrator.md.",
        example: "notes-database-drift",
        without: "the connection of the migration",
      }),
      key: setting(secretKey.default("url"), { description: "Key of that URL in the Secret.", example: "drift-url" }),
    })
    .optional(),
  deadline: setting(duration("1m", "6h").prefault("10m"), {
    description: "Time that one run may take.",
    example: "30m",
  }),
});
