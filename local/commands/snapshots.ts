import { formatBytes } from "../../text/bytes";
import { listSnapshots, snapshotKey } from "../cloud/aws/records";
import { ago, table } from "./output";
import { type Call, typed, type Verb } from "./verb";

export const snapshots: Verb = {
  name: "snapshots",
  summary: "the snapshots that were taken, the oldest first",
  use: "reads",
  async run(call: Call): Promise<number> {
    const { output } = call;
    const found = await listSnapshots(call.cloudDir);
    if (output.json) {
      for (const { identifier, kind, status, source, createTime, size, tags, reason } of found) {
        output.event({ identifier, kind, status, source, createTime, size, tags, reason });
      }
      return 0;
    }
    if (found.length === 0) {
      output.line(`There are no snapshots yet. The first is taken by a release: ${typed(call, "up")}`);
      return 0;
    }
    const rows = found.map((s) => [
      snapshotKey(s),
      s.reason === undefined ? s.status : `${s.status}: ${s.reason}`,
      s.source,
      s.size === 0 ? "" : formatBytes(s.size),
      s.createTime,
      ago(s.createTime),
    ]);
    for (const line of table(output, ["SNAPSHOT", "STATUS", "OF", "SIZE", "TAKEN", ""], rows)) output.line(line);
    output.line();
    output.line(`To get one back beside the database that runs: ${typed(call, "restore", "--to", "SNAPSHOT")}`);
    return 0;
  },
};
