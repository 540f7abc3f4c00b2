import { z } from "zod";
import { CPU_ALLOWED, Duration, MEMORY_ALLOWED, parseCpu, parseMemory } from "./units";

/** The documentation of a setting, which is shown in docs/settings.md and in an editor. */
export interface About {
  /** The purpose of the setting, in one or two sentences. */
  description: string;
  /** A valid value, as it is written in the file. */
  example: unknown;
  /** What happens without the key, if the schema has no default. A key that has neither is required. */
  without?: string;
  /** Whether a change of the setting makes a new release: the migration Job runs again, and new pods are rolled out. */
  decidesRelease?: boolean;
  /** The allowed values and their unit, where these don't follow from the type. */
  values?: string;
}

/** The sentence that is added to the description of each setting that decides the release. */
export const DECIDES = "Decides the release.";

declare module "zod" {
  interface GlobalMeta extends Partial<Omit<About, "description">> {}
}

/** Defines a setting: its type and default, and its documentation. */
export function setting<T extends z.ZodType>(schema: T, about: About): T {
  return schema.meta({ ...about });
}

/**
 * A DNS label, which is the form of most Kubernetes names (RFC 1123). The default limit is below the 63 characters that
 * are allowed, so that suffixes fit.
 */
export const name = (limit = 40) =>
  z
    .string()
    .max(limit, `at most ${limit} characters`)
    .regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/, "lower-case letters, digits and hyphens, a letter first");

/** A DNS subdomain, which is the form of other Kubernetes names (RFC 1123). */
export const dnsName = z
  .string()
  .max(253, "at most 253 characters")
  .regex(
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    "lower-case letters, digits, hyphens and dots, a letter or digit first",
  );

/** The name of a key of a Secret or ConfigMap. */
export const secretKey = z.string().regex(/^[-._A-Za-z0-9]+$/, "the name of a key: letters, digits, -, _ and .");

/** A {@link Duration} from `min` to `max`. */
export const duration = (min: string, max: string) =>
  z
    .string({ error: () => Duration.allowed })
    .transform((text, context) => {
      const value = Duration.parse(text);
      const [least, most] = [Duration.parse(min)!, Duration.parse(max)!];
      if (value && value.seconds >= least.seconds && value.seconds <= most.seconds) return value;
      context.addIssue({ code: "custom", message: `${Duration.allowed}, from ${min} to ${max}` });
      return z.NEVER;
    })
    .meta({ values: `\`${min}\` to \`${max}\`` });

/** An amount of memory in Kubernetes' notation. */
export const memory = z
  .string({ error: () => MEMORY_ALLOWED })
  .refine((text) => parseMemory(text) !== undefined, MEMORY_ALLOWED);

const cpu = z
  .union([z.string(), z.number()], { error: () => CPU_ALLOWED })
  .transform(String)
  .refine((text) => parseCpu(text) !== undefined, CPU_ALLOWED);

/** A whole number from `min` to `max`. */
export const whole = (min: number, max: number, unit = "") => {
  const allowed = `a whole number from ${min} to ${max}`;
  return z
    .number({ error: () => allowed })
    .int(allowed)
    .min(min, allowed)
    .max(max, allowed)
    .meta({ values: `${min} to ${max}${unit && ` ${unit}`}` });
};

/** A whole percentage from `min` to 100. */
export const percent = (min: number) => whole(min, 100, "percent");

/** When something is run, as a cron job of Kubernetes says it. */
export const cronSchedule = z.string().regex(/^(@\w+|\S+ \S+ \S+ \S+ \S+)$/, 'a cron schedule such as "0 3 * * *"');

/** A text that is not empty. */
export const text = z.string().min(1);

/** The path of a URL. */
export const path = z.string().regex(/^\/\S*$/, "a path that begins with /");

/** The absolute path of a folder in a container, which isn't the root. */
export const folder = z
  .string()
  .regex(/^(?:\/(?!\.\.?(?:\/|$))[A-Za-z0-9._-]+)+$/, "the path of a folder that begins with /, such as /run/database");

/** A program with its arguments. */
export const command = z.array(z.string()).min(1);

/** The arguments of a program; the list may be empty. */
export const list = z.array(z.string());

/** A container image, with a tag or digest. */
export const image = z
  .string()
  .regex(
    /^(?:[A-Za-z0-9.-]+(?::\d+)?\/)?[A-Za-z0-9]+(?:[._/-]+[A-Za-z0-9]+)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-fA-F]{64})?$/,
    "an image such as registry/notes:1.4.0 or registry/notes@sha256:…",
  );

/** The user and group id of a process; never 0, which is root. */
export const userId = whole(1, 2_147_483_647);

const amounts = z.strictObject({ cpu: cpu.exactOptional(), memory: memory.exactOptional() });

/** The amounts that a container requests from its node, and the most that it may use. */
export const resources = z
  .strictObject({ requests: amounts.exactOptional(), limits: amounts.exactOptional() })
  .default({ requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } });

const reference = z.strictObject({ name: text, key: text });

/**
 * The environment variables of a container. A value is a text, or a
 * reference to the Secret or ConfigMap that contains it.
 */
export const environment = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, "the name of an environment variable"),
  z.union(
    [
      z.union([z.string(), z.number(), z.boolean()]).transform(String),
      z.strictObject({ secret: reference }),
      z.strictObject({ configMap: reference }),
    ],
    { error: () => 'a text, {secret: {name: "…", key: "…"}} or {configMap: {name: "…", key: "…"}}' },
  ),
);
