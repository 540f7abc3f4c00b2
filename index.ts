import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { liveRelease, planBackup, Release, reviewGate, rolloutGate, stackOutputs } from "./components";
import { readInputs } from "./inputs";

/** One `pulumi up` = one release: preflight Job → snapshot → migration Job → app and every other workload → smoke check → report. */
export = async () => {
  // Everything that is wrong with the settings or the migrations ends the release here, before anything is touched.
  const { settings, history, migrator, reader, tags } = await readInputs();

  const kubeconfig = new pulumi.Config("kubernetes");
  const access = { context: kubeconfig.get("context"), kubeconfig: kubeconfig.getSecret("kubeconfig") };
  const cluster = new kubernetes.Provider("cluster", {
    ...access,
    // An `up` that was killed may have made objects that it could not record; the next one takes them over.
    upsertExistingObjects: true,
  });

  // What the migrations would do to production: refused here, unless it is allowed or acknowledged.
  const review = await reviewGate(settings, history, await liveRelease(settings));

  // What an autoscaler or a person has changed in the cluster: refused here, and not when the database is migrated.
  const seen = { ...reader, ...access };
  await rolloutGate(settings, history, seen);

  // The backup: the snapshot that these migrations have already, or a new one.
  const backup = await planBackup(settings, history);

  // The chain. Whatever fails stops everything after it, and the app that was serving goes on serving.
  const release = new Release(
    settings.app.name,
    { settings, history, migrator, review, backup, tags, reader: seen },
    { provider: cluster },
  );

  // Known once the app is rolled out: outputs always describe the release that is live.
  return stackOutputs(release);
};
