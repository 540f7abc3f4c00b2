import { prepareRelease, Release, stackOutputs } from "./program";

/**
 * One `pulumi up` makes one release: preflight Job → backup → rehearsal on a copy, if the settings want it →
 * migration Job → app and every other workload → smoke check → contract migrations → report.
 */
export = async () => {
  // The settings, the migrations, their review and proofs, the objects in the cluster and the backup. Whatever is wrong ends the
  // release here, before anything is changed.
  const { inputs, providers } = await prepareRelease();

  // The Release runs the steps one after the other. A step that fails stops all later ones, and the app that was
  // serving goes on serving.
  const release = new Release(inputs.settings.app.name, inputs, { providers });

  // The outputs are set only when the app is rolled out, so they always describe the release that is live.
  return stackOutputs(release);
};
