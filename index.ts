import {
  liveRelease,
  planBackup,
  Release,
  releaseProviders,
  reviewGate,
  rolloutGate,
  stackOutputs,
} from "./components";
import { readInputs } from "./inputs";

/**
 * One `pulumi up` makes one release: preflight Job → snapshot → migration Job → app and every other workload →
 * smoke check → contract migrations → report.
 */
export = async () => {
  // Any mistake in the settings or the migrations ends the release here, before anything is changed.
  const { settings, access, history, migrator, signer, reader, tags } = await readInputs();

  // The AWS account, the cluster and the machine where this program runs.
  const { aws, kubernetes, command } = releaseProviders(access);

  // The review judges what the migrations would do to production. It ends the release here when it finds something
  // that this environment refuses and that nobody has acknowledged.
  const review = await reviewGate(settings, history, await liveRelease(settings));

  // An object that somebody else made would make the rollout fail. It ends the release here, while the database is still
  // unchanged. What others changed of the release's own objects is shown; the rollout takes it back.
  const rollout = await rolloutGate(settings, history, reader, { provider: command });

  // The backup is the snapshot that an earlier attempt took for the same migrations, or else a new one.
  const backup = await planBackup(settings, history, { provider: aws });

  // The Release runs the steps one after the other. A step that fails stops all later ones, and the app that was
  // serving goes on serving.
  const release = new Release(
    settings.app.name,
    { settings, history, migrator, signer, review, backup, tags, rollout, reader },
    { providers: { aws, kubernetes, command } },
  );

  // The outputs are set only when the app is rolled out, so they always describe the release that is live.
  return stackOutputs(release);
};
