import type { InstanceRecord, Member } from "../records";
import { ESTABLISHED_MEMBER, establishedSettings } from "./settings";
import type { Settings } from "./translation";

/** Returns the settings of a database; those of one that `up` made are the same for all. */
export function settingsIn(record: Pick<InstanceRecord, "kind" | "settings" | "backupRetention">): Settings {
  return {
    ...(record.settings ?? establishedSettings(record.kind)),
    BackupRetentionPeriod: record.backupRetention ?? 0,
  };
}

/** Returns the instances of a cluster; one that `up` made has one. */
export function membersOf({ identifier, createTime, members }: InstanceRecord): Member[] {
  return members ?? [{ identifier: `${identifier}-1`, createTime, ready: true, settings: ESTABLISHED_MEMBER }];
}
