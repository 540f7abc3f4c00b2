import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/schema";
import type { Sizes } from "../text/table-size";
import { wrongOutputs } from "./outputs";
import { ReleaseError } from "./release-error";
import { type EarlierRelease, type ReleaseBackup, releaseOutputsSchema } from "./release-outputs";
import { stackOutputsOf } from "./stack-outputs";

/** The facts about the live release that the review and the backup of the next one need. */
export interface Live {
  /** Its id; undefined before the first release, or if the outputs can't be read. */
  releaseId?: string | undefined;
  /** The name of its last migration; undefined before the first release, or if the outputs can't be read. */
  migration?: string | undefined;
  /** The sha-256 of the names and contents of all its migrations. */
  fingerprint?: string | undefined;
  /** The image of its app; undefined before the first release, or if the outputs can't be read. */
  image?: string | undefined;
  /** The releases that were live before it, the newest first. Default: none is known. */
  before?: readonly EarlierRelease[];
  /** The sizes of its tables; undefined if they are unknown. */
  sizes?: Sizes | undefined;
  /** Its `release.attempt`; undefined if an older version of this project released it. */
  attempt?: number | undefined;
  /** The backup that was made before its migrations; undefined if there is none, or it is not known. */
  backup?: ReleaseBackup | undefined;
  /** The time at which the Job began that applied its migrations (ISO 8601); undefined if it is unknown. */
  migrationBegan?: string | undefined;
}

/** This error reports that the stack has outputs, but not those of a release, so the next one can't be reviewed. */
export class LiveReleaseUnknown extends ReleaseError {
  override readonly name = "LiveReleaseUnknown";

  constructor(wrong: string, namespace: string, last = "NAME") {
    super(
      `The outputs of this stack don't tell which release is live (${wrong}), so its successor can't be reviewed.\n` +
        "Nothing was touched: database and app are as they were.\n" +
        "Name the last migration that the database has, and run the same command again:\n" +
        `  pulumi config set --path ${namespace}:review.since ${last}`,
    );
  }
}

/** The places where a program keeps the outputs and the settings of its release. */
export interface ReleasePlaces {
  /**
   * The name of the output that contains the release's outputs, in a program that has other outputs too. Default: the
   * stack's outputs are those of the release.
   */
  output?: string | undefined;
  /** The namespace of the settings, for messages. Default: the project's name. */
  namespace?: string | undefined;
}

/**
 * Reads this stack's own outputs. They describe the live release, also after a later release has failed.
 *
 * @param settings If they set `review.since`, unreadable outputs cause no error, because a person has named what is
 *   live.
 * @throws {@link LiveReleaseUnknown} when the stack has outputs, but not those of a release
 */
export async function liveRelease(
  { review }: Pick<Settings, "review">,
  { output: key, namespace = pulumi.getProject() }: ReleasePlaces = {},
): Promise<Live> {
  const all = await ownOutputs();
  const outputs = key === undefined ? all : all[key];
  if (outputs === undefined || (key === undefined && Object.keys(all).length === 0)) return {};
  const parsed = releaseOutputsSchema.safeParse(outputs);
  if (parsed.success) {
    const { releaseId, before, migrations, image, sizes, attempt, backup, migrationBegan } = parsed.data;
    return {
      ...{ releaseId, before },
      migration: migrations.last ?? undefined,
      fingerprint: migrations.fingerprint,
      image,
      sizes: sizes ?? undefined,
      attempt: attempt ?? undefined,
      backup: backup ?? undefined,
      migrationBegan: migrationBegan ?? undefined,
    };
  }
  if (review.since !== undefined) return {};
  const { success, data } = releaseOutputsSchema.pick({ migrations: true }).safeParse(outputs);
  throw new LiveReleaseUnknown(wrongOutputs(parsed.error), namespace, (success && data.migrations.last) || undefined);
}

async function ownOutputs(): Promise<Record<string, unknown>> {
  try {
    return await stackOutputsOf(`${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`);
  } catch (error) {
    if (/unknown stack/.test(String(error))) return {};
    throw error;
  }
}
