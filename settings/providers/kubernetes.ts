import { z } from "zod";
import { flag, word } from "./values";

/** A flag with only one value that a release works with. */
const only = (value: boolean, why: string) =>
  z
    .union([z.boolean(), z.string()])
    .refine((given) => String(given) === String(value), `left out, or ${value}: ${why}`)
    .transform(() => value)
    .optional();

/** A key that a release doesn't work with. */
const never = (why: string) => z.undefined({ error: () => `left out: ${why}` }).optional();

const RENDERED = "a release that only writes manifests rolls nothing out";

/**
 * The configuration of the Kubernetes provider, `kubernetes:…`, by the provider's own keys.
 *
 * @see https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/
 */
export const kubernetes = {
  alwaysRender: never(RENDERED),
  cluster: word.optional(),
  clusterIdentifier: word.optional(),
  context: word.optional(),
  deleteUnreachable: flag.optional(),
  enableConfigMapMutable: flag.optional(),
  enablePatchForce: flag.optional(),
  enableSecretMutable: flag.optional(),
  enableServerSideApply: only(true, "the release finds what others have changed by server-side apply"),
  helmReleaseSettings: z.looseObject({}).optional(),
  kubeClientSettings: z
    .strictObject({
      burst: z.number().int().min(0).optional(),
      qps: z.number().min(0).optional(),
      timeout: z.number().int().min(0).optional(),
    })
    .optional(),
  kubeconfig: z
    .union([z.string().min(1), z.looseObject({}).transform((content) => JSON.stringify(content))], {
      error: () => "the content of a kubeconfig, or its path",
    })
    .optional(),
  namespace: word.optional(),
  renderYamlToDirectory: never(RENDERED),
  skipUpdateUnreachable: only(false, "a cluster that can't be reached must not look like a finished rollout"),
  suppressDeprecationWarnings: flag.optional(),
  suppressHelmHookWarnings: flag.optional(),
  upsertExistingObjects: only(true, "it lets `up` take over what a killed `up` left"),
};
