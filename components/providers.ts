import { Provider as AwsProvider } from "@pulumi/aws/provider";
import { Provider as CommandProvider } from "@pulumi/command";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ProviderSettings } from "../settings/providers/providers";

/** The providers of a release. Its resources and its questions use the same ones. */
export type ReleaseProviders = {
  /** The AWS account and region of the database. */
  aws: AwsProvider;
  /** The cluster that the app runs in. */
  kubernetes: KubernetesProvider;
  /** The machine where `pulumi up` runs. */
  command: CommandProvider;
};

/**
 * Makes the providers of a release, so that it needs none of Pulumi's default providers and works with
 * `pulumi:disable-default-providers`. The keys and their meaning are those of the providers.
 *
 * @param settings what `releaseConfig` returns as `providers`
 */
export function releaseProviders({ aws, kubernetes, secrets }: ProviderSettings): ReleaseProviders {
  return {
    aws: new AwsProvider("account", withSecrets("aws", aws, secrets)),
    kubernetes: new KubernetesProvider("cluster", {
      ...withSecrets("kubernetes", kubernetes, secrets),
      ...(kubernetes.kubeconfig === undefined ? {} : { kubeconfig: pulumi.secret(kubernetes.kubeconfig) }),
      // An `up` that was killed may have created objects without recording them; this lets the next `up` adopt them.
      upsertExistingObjects: true,
    }),
    command: new CommandProvider("machine"),
  };
}

/**
 * Makes the provider of another region of the same account, for a copy of the backup.
 *
 * @param settings what `releaseConfig` returns as `providers`
 */
export function copyProvider({ aws, secrets }: ProviderSettings, region: string): AwsProvider {
  return new AwsProvider("backup-copy", { ...withSecrets("aws", aws, secrets), region });
}

/** Marks the values that were set with `--secret`, so that the state keeps them encrypted. */
function withSecrets<T extends object>(name: string, settings: T, secrets: readonly string[]): T {
  const entries = Object.entries(settings).map(([key, value]) => [
    key,
    secrets.includes(`${name}:${key}`) ? pulumi.secret(value) : value,
  ]);
  return Object.fromEntries(entries) as T;
}
