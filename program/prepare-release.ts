import * as pulumi from "@pulumi/pulumi";
import {
  copyProvider,
  type Live,
  liveRelease,
  planBackup,
  type ReleaseArgs,
  type ReleaseBefore,
  type ReleaseProviders,
  type ReportReader,
  releaseProviders,
  reviewGate,
  rolloutGate,
  type Settings,
} from "../components";
import { earlierReleases } from "../components/earlier-releases";
import { knownValue } from "../components/known-value";
import { proofGate } from "../components/proof-gate";
import { type LastRehearsal, lastRehearsal, measuredOnCopy } from "../components/rehearsal-proof";
import { releaseIdOf } from "../components/release-id";
import { reviewSince } from "../components/review-gate";
import { commandLine } from "../text/command-line";
import { counted } from "../text/counted";
import { shellWord } from "../text/shell-word";
import { type InputPlaces, type ReleaseInputs, readInputs, requireNeonKey } from "./inputs";
import { previewTrial } from "./preview-trial";

/** The options of {@link prepareRelease}. All have a default. */
export interface PrepareOptions extends Omit<InputPlaces, "image" | "ownWorkloads"> {
  /**
   * The name of the stack output that contains the release's outputs, in a program that has other outputs too. Default:
   * the stack's outputs are those of the release.
   */
  output?: string;
  /**
   * The one who rolls out the new version: `release` for the component `Release`; `own` for resources of the program,
   * which depend on a `DatabaseMigration`. Default: `release`.
   */
  rollout?: "release" | "own";
  /**
   * The image of the app, if the same program builds it; it is waited for. It replaces the setting `app.image`, except
   * in a preview, which builds nothing. Default: the setting.
   */
  image?: pulumi.Input<string>;
  /**
   * Providers of the program, with the access of kubectl to the same cluster. Default: they are made from the stack's
   * keys `aws:…` and `kubernetes:…`.
   */
  own?: OwnProviders;
}

/** The providers of a program, and how kubectl reaches the cluster of its Kubernetes provider. */
export interface OwnProviders {
  providers: ReleaseProviders;
  kubectl: Pick<ReportReader, "context" | "kubeconfig">;
  /** The AWS provider of `backup.copy.region`. It is required if that is set. */
  copy?: pulumi.ProviderResource;
}

/** Everything that a `Release` or a `DatabaseMigration` needs. */
export interface PreparedRelease {
  /** The component's arguments. */
  inputs: ReleaseArgs & { reader: ReportReader };
  /** The component's providers. */
  providers: ReleaseProviders;
}

/**
 * Does all of a release that comes before its first change: it reads and checks the settings and the migrations,
 * reviews what the migrations would do, looks for the proofs that they need, looks whether the cluster will accept the rollout, and finds the snapshot of an
 * earlier attempt. Whatever is wrong ends the release here, and nothing was touched.
 *
 * @throws SettingsError that lists everything that is wrong in the stack's settings
 * @throws LiveReleaseUnknown when the stack's outputs don't tell which release is live
 * @throws ReviewRefused when the migrations would do something that this environment refuses
 * @throws ProofMissing when the environment wants a proof of the migrations that does not exist
 * @throws RolloutRefused when somebody else owns what the rollout would change
 * @throws SnapshotError when RDS can't be queried
 * @throws ReleaseError when the migrations folder can't be read or is not valid
 */
export async function prepareRelease(options: PrepareOptions = {}): Promise<PreparedRelease> {
  const { output, rollout = "release", own, directory = process.cwd() } = options;

  // Any mistake in the settings or the migrations ends the release here, before anything is changed.
  const places = { ...options, image: await builtImage(options.image), ownWorkloads: rollout === "own" };
  const { namespace, access, commands, ...read } = await readInputs(places, own !== undefined);
  const { settings, history, schemaGate } = read;
  const { heldBack = [] } = history;
  if (heldBack.length > 0)
    void pulumi.log.info(
      `migrations.until holds back ${counted(heldBack.length, "migration")} of the folder, from ${heldBack[0]} on. Remove it when they are right.`,
    );
  const reader = { ...read.reader, ...own?.kubectl };

  // The AWS account, the cluster and the machine where this program runs.
  const providers = own?.providers ?? releaseProviders(access!);
  const copyTo = settings.backup.copy?.region;
  const copies = copyTo === undefined ? undefined : own ? own.copy : copyProvider(access!, copyTo);

  // The review judges what the migrations would do to production. It ends the release here when it finds something
  // that this environment refuses and that nobody has acknowledged. A preview also runs them on a temporary Postgres.
  const live = await liveRelease(settings, { output, namespace });
  const last = await lookAtRehearsal(settings, history, {
    live,
    reader,
    rollout,
    opts: { provider: providers.command },
  });
  const review = await reviewGate(settings, history, live, {
    measured: measuredOnCopy(last, history),
    runThem: (applied) => previewTrial(settings, history, { applied, directory }),
  });

  // What this environment wants to be proved of these migrations. It ends the release here when something is missing.
  // Migrations that nothing proves are rehearsed on a copy, if the settings want that, before production gets them.
  const rehearses = await proofGate(settings, history, { live, review, last, directory, commands });
  if (rehearses) requireNeonKey(settings);

  // An object that somebody else made would make the rollout fail. It ends the release here, while the database is still
  // unchanged. What others changed of the release's own objects is shown; the rollout takes it back.
  const seen =
    rollout === "release"
      ? await rolloutGate(settings, history, reader, { provider: providers.command, schemaGate })
      : undefined;

  // The backup is the snapshot that an earlier attempt took for the same migrations, or else a new one. A release of only
  // a new image needs none.
  const backup = await planBackup(settings, history, { provider: providers.aws, live, copyProvider: copies });

  // A release with the migrations of the live one keeps the time to which a restore goes back. One that holds back the
  // live one's migrations applies none, so it has no such time.
  const goesBack = live.migration !== undefined && heldBack.includes(live.migration);
  const kept = live.fingerprint === history.fingerprint ? (live.migrationBegan ?? null) : undefined;
  const migrationBegan = goesBack ? null : kept;

  // The way back to the version before, for the message of a step that fails. A release that is repeated, because its
  // smoke check failed, is itself what is live.
  const releaseId = releaseIdOf(settings, history.fingerprint);
  const earlier = earlierReleases(live, releaseId);
  const [previous] = live.releaseId === releaseId ? earlier : [];
  const judged = previous && (await reviewSince(settings, history, previous.lastMigration));
  const before = releaseBefore(settings, previous?.image ?? live.image, judged, {
    namespace,
    commands,
    byProgram: options.image !== undefined || rollout === "own",
  });

  const inputs = {
    ...read,
    reader,
    review,
    rollout: seen,
    backup,
    copyProvider: copies,
    rehearsal: rehearses ? read.pruner : undefined,
    migrationBegan,
    earlier,
    before,
  };
  return { inputs, providers };
}

/**
 * Reads the last rehearsal before a release with other migrations than the live one's. A program that rolls out its own
 * workloads may not reach the cluster with kubectl, so there only the settings ask for it.
 */
async function lookAtRehearsal(
  settings: Settings,
  { fingerprint }: ReleaseInputs["history"],
  {
    live,
    reader,
    rollout,
    opts,
  }: { live: Live; reader: ReportReader; rollout: PrepareOptions["rollout"]; opts: pulumi.InvokeOptions },
): Promise<LastRehearsal | undefined> {
  const { rehearsal, policy } = settings;
  const wanted = rollout === "release" || rehearsal.mode === "copy" || policy.proof.includes("rehearsal");
  return wanted && live.fingerprint !== fingerprint ? lastRehearsal(settings, reader, opts) : undefined;
}

/** Returns how the reader goes back to the release before. */
function releaseBefore(
  { backup }: Settings,
  image: string | undefined,
  review: ReleaseBefore["review"],
  { namespace, commands, byProgram }: { namespace: string; commands: ReleaseInputs["commands"]; byProgram: boolean },
): ReleaseBefore {
  const stack = pulumi.getStack();
  const [key, of] = [`${namespace}:app.image`, `--stack ${shellWord(stack)}`];
  // The text of an image with a digest looks like a secret to Pulumi, which would refuse it without --plaintext.
  const set = `pulumi config set --path --plaintext ${key} {image} ${of} && pulumi up ${of}`;
  const restore = `${commands.restore ?? `${commandLine("restore")} ${of}`} --plan`;
  return {
    ...{ image, review },
    command: byProgram ? undefined : (commands.back ?? set),
    restore: backup.mode === "none" ? undefined : restore,
    settingsFile: `Pulumi.${stack}.yaml`,
  };
}

/** Waits for the image that the program builds. A preview builds nothing, so it has none. */
async function builtImage(image: pulumi.Input<string> | undefined): Promise<string | undefined> {
  if (image === undefined || pulumi.runtime.isDryRun()) return undefined;
  return knownValue(image);
}
