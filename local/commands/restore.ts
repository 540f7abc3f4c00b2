import { join } from "node:path";
import { shellWord } from "../../text/shell-word";
import { instanceFolder, listSnapshots } from "../cloud/aws/records";
import { connect } from "../cloud/client";
import { CommandError } from "../usage-error";
import { type Call, typed, type Verb } from "./verb";

export const restore: Verb = {
  name: "restore",
  arguments: "<snapshot>",
  summary: "start a snapshot as a second server, beside the database that runs",
  use: "changes",
  check: ({ arguments: [snapshot] }) =>
    snapshot === undefined ? ["restore needs the name of a snapshot; to list them: npm run local -- snapshots"] : [],
  async run(call: Call): Promise<number> {
    const { cloudDir, output } = call;
    const snapshot = call.arguments[0]!.toLowerCase();
    const known = await listSnapshots(cloudDir);
    const found = known.find(({ identifier }) => identifier === snapshot);
    if (found?.status !== "available") {
      const what = found ? `Snapshot ${snapshot} is ${found.status}` : `There is no snapshot ${snapshot}`;
      throw new CommandError(`${what}. Nothing was started. To list them: ${typed(call, "snapshots")}`);
    }
    const cloud = await connect(cloudDir);
    const { identifier, kind, host, port, database } = await cloud.call("aws.restoreSnapshot", {
      snapshot,
      kind: found.kind,
    });
    const passwords = join(instanceFolder(cloudDir, kind, identifier), "credentials.json");
    if (output.json) {
      output.event({ snapshot, identifier, kind, host, port, database, passwords });
      return 0;
    }
    output.line(`Snapshot ${snapshot} runs as ${identifier} on ${host}:${port}, database ${database}.`);
    output.line(`The database of the release (${found.source}) and the app are untouched.`);
    output.line();
    output.line(`To look at it:         ${typed(call, "query", '"SELECT …"', "--instance", identifier)}`);
    output.line(
      `With any other client: roles app and migrator; their passwords are in ${shellWord(passwords)} (mode 0600)`,
    );
    return 0;
  },
};
