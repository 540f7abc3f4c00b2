import { ConfigMap } from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import { readReleaseOutputs } from "../../components/outputs";

const producer = new pulumi.StackReference(new pulumi.Config().require("producer"));
const notes = readReleaseOutputs(producer);

// Other services of this team read the app's address here. It is that of the live release, also after a failed one.
const endpoint = new ConfigMap("notes-endpoint", {
  metadata: { name: "notes-endpoint" },
  data: { url: notes.url, release: notes.releaseId, schema: notes.migrations.last.apply((last) => last ?? "none") },
});

export const notesUrl = notes.url;
export const notesRelease = notes.releaseId;
export const configMap = endpoint.metadata.name;
