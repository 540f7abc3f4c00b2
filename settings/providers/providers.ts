import { z } from "zod";
import { describe, type Mistake, unknownKey } from "../mistakes";
import { AWS_CREDENTIALS, aws } from "./aws";
import { kubernetes } from "./kubernetes";

const PACKAGES = { aws: z.object(aws), kubernetes: z.object(kubernetes) };
type Package = keyof typeof PACKAGES;

/** How the providers of a release reach the AWS account and the cluster. */
export interface ProviderSettings {
  readonly aws: z.infer<(typeof PACKAGES)["aws"]>;
  readonly kubernetes: z.infer<(typeof PACKAGES)["kubernetes"]>;
  /** The keys that were set with `--secret`, with their namespace, such as `aws:secretKey`. */
  readonly secrets: readonly string[];
}

/** Whether a key such as `aws:region` configures one of the providers that a release uses. */
export function isProviderKey(key: string): boolean {
  return Object.keys(PACKAGES).some((name) => key.startsWith(`${name}:`));
}

/**
 * Reads the configuration of the providers.
 *
 * @param raw The values by their keys, such as `aws:region`. Keys of other namespaces are left out.
 * @param secrets The keys that were set with `--secret`.
 * @returns the settings, or every mistake in them
 */
export function parseProviders(
  raw: Record<string, unknown>,
  secrets: readonly string[] = [],
): { providers?: ProviderSettings; mistakes: Mistake[] } {
  const mistakes: Mistake[] = [];
  const read = <P extends Package>(name: P): z.infer<(typeof PACKAGES)[P]> => {
    const prefix = `${name}:`;
    const shape: Record<string, z.ZodType> = PACKAGES[name].shape;
    const parsed: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(raw)) {
      if (!key.startsWith(prefix)) continue;
      const own = key.slice(prefix.length);
      const schema = Object.hasOwn(shape, own) ? shape[own] : undefined;
      if (!schema) {
        const known = Object.keys(shape).map((each) => prefix + each);
        mistakes.push(unknownKey([], key, known));
        continue;
      }
      const result = schema.safeParse(value);
      if (result.success) parsed[own] = result.data;
      else if (secrets.includes(key)) {
        const allowed = [...new Set(result.error.issues.map(({ message }) => message))].join(", ");
        mistakes.push({ key, text: `${key} is (not shown); it must be ${allowed}` });
      } else mistakes.push(...result.error.issues.flatMap((issue) => describe(issue, [key], raw, { [key]: schema })));
    }
    return parsed as z.infer<(typeof PACKAGES)[P]>;
  };
  const providers = { aws: read("aws"), kubernetes: read("kubernetes"), secrets };
  mistakes.push(...RULES.flatMap((rule) => rule(providers)));
  return mistakes.length > 0 ? { mistakes } : { providers, mistakes };
}

/** The rules for keys that are wrong in combination. */
const RULES: readonly ((providers: ProviderSettings) => Mistake[])[] = [
  ({ aws: given, secrets }) =>
    AWS_CREDENTIALS.filter((key) => given[key] !== undefined && !secrets.includes(`aws:${key}`)).map((key) => ({
      key: `aws:${key}`,
      text: `aws:${key} is in plain text; it must be set with \`pulumi config set --secret\`, or left out: aws:profile, aws:assumeRoles and AWS' own variables need no key in the file`,
    })),
  ({ aws: given }) =>
    given.allowedAccountIds && given.forbiddenAccountIds
      ? [
          {
            key: "aws:forbiddenAccountIds",
            text: "aws:forbiddenAccountIds must be left out with aws:allowedAccountIds",
          },
        ]
      : [],
  ({ aws: given }) =>
    given.skipRequestingAccountId && (given.allowedAccountIds ?? given.forbiddenAccountIds)
      ? [
          {
            key: "aws:skipRequestingAccountId",
            text: "aws:skipRequestingAccountId is true; it must be false or left out, because without the account's id aws:allowedAccountIds and aws:forbiddenAccountIds can't be checked",
          },
        ]
      : [],
];
