import * as pulumi from "@pulumi/pulumi";
import { Release, type ReleaseArgs } from "../../components";
import type { PulumiRecorder } from "./pulumi-recorder";

/** A history with one migration, of which the contract step has to apply something. */
export const HISTORY = {
  contract: true,
  migrations: [{ name: "1_init", sql: "", checksum: "" }],
  fingerprint: "f".repeat(64),
  payload: [Buffer.from("payload")],
};

/** The pod templates of a release, by the name of their Deployment, CronJob or Job without the release's id. */
export async function releasePods(
  recorder: PulumiRecorder,
  args: Pick<ReleaseArgs, "settings" | "signer">,
): Promise<Record<string, any>> {
  const release = new Release("notes", { ...args, history: HISTORY, migrator: "// migrator" });
  await new Promise((resolve) => {
    pulumi.output(release.outputs).apply(resolve);
  });
  await pulumi.runtime.disconnect();
  const templates = recorder.registrations.flatMap(({ inputs: { metadata, spec } }) => {
    const template = spec?.jobTemplate?.spec.template ?? spec?.template;
    return template ? [[String(metadata.name).replace(/-[0-9a-f]{12}$/, ""), template]] : [];
  });
  return Object.fromEntries(templates);
}
