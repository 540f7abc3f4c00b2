import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/schema";
import type { Sizes } from "../text/table-size";
import { releaseOutputsSchema, wrongOutputs } from "./outputs";
import { ReleaseError } from "./release-error";

/** The release that is live, as far as the next one is judged by it. */
export interface Live {
  /** Its last migration; undefined before the first release, and where the outputs don't tell what is live. */
  migration?: string | undefined;
  /** sha-256 of the names and contents of all its migrations. */
  fingerprint?: string | undefined;
  /** Of its tables; undefined where they are unknown. */
  sizes?: Sizes | undefined;
}

/** The stack has outputs, but they don't tell what is live: the next release can't be judged by them. */
export class LiveReleaseUnknown extends ReleaseError {
  override readonly name = "LiveReleaseUnknown";

  constructor(wrong: string, project: string, last = "NAME") {
    super(
      `The outputs of this stack don't tell which release is live (${wrong}), so its successor can't be reviewed.\n` +
        "Nothing was touched: database and app are as they were.\n" +
        "Name the last migration that the database has, and run the same command again:\n" +
        `  pulumi config set --path ${project}:review.since ${last}`,
    );
  }
}

/**
 * Reads this stack's own outputs: they describe the release that is live, also after a failed one.
 *
 * @param settings with `review.since`, outputs that can't be read end nothing: a person has said what is live
 * @param key name of the output that holds those of the release, in a program that has other outputs too; default: the
 *   stack's outputs are those of the release
 * @throws {@link LiveReleaseUnknown} when there are outputs, but not those of a release
 */
export async function liveRelease({ review }: Pick<Settings, "review">, key?: string): Promise<Live> {
  const all = await stackOutputs();
  const outputs = key === undefined ? all : all[key];
  if (outputs === undefined || (key === undefined && Object.keys(all).length === 0)) return {};
  const parsed = releaseOutputsSchema.safeParse(outputs);
  if (parsed.success) {
    const { migrations, sizes } = parsed.data;
    return {
      migration: migrations.last ?? undefined,
      fingerprint: migrations.fingerprint,
      sizes: sizes ?? undefined,
    };
  }
  if (review.since !== undefined) return {};
  const { success, data } = releaseOutputsSchema.pick({ migrations: true }).safeParse(outputs);
  throw new LiveReleaseUnknown(
    wrongOutputs(parsed.error),
    pulumi.getProject(),
    (success && data.migrations.last) || undefined,
  );
}

async function stackOutputs(): Promise<Record<string, unknown>> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  try {
    const { outputs } = await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name });
    return outputs ?? {};
  } catch (error) {
    if (/unknown stack/.test(String(error))) return {};
    throw error;
  }
}
