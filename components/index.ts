export type { PackedHistory } from "../review/packed-history";
export { parseSettings } from "../settings/parse";
export type { ProviderSettings } from "../settings/providers/providers";
export type { Settings } from "../settings/schema";
export { AccountRefused } from "./account-refused";
export { RolloutRefused } from "./adoption/refused";
export { AfterRollout, type AfterRolloutArgs } from "./after-rollout";
export { App } from "./app";
export type { AppArgs } from "./app-manifests";
export { type Backup, BackupMissing, type BackupOptions, planBackup } from "./backup";
export type { BackupStep } from "./backup-step";
export { DatabaseNotFound } from "./database-endpoint";
export {
  DatabaseMigration,
  type DatabaseMigrationArgs,
  type ProvidedDatabase,
  type SharedJobArgs,
} from "./database-migration";
export type { ReportReader } from "./job-reports";
export { type Live, LiveReleaseUnknown, liveRelease } from "./live-release";
export { MigrationFiles, type MigrationFilesArgs } from "./migration-files";
export { MigratorJob, type MigratorJobArgs } from "./migrator-job";
export { parseReleaseOutputs, ReleaseOutputsError, readReleaseOutputs, stackOutputs } from "./outputs";
export { ProofMissing } from "./proof-gate";
export { copyProvider, type ReleaseProviders, releaseProviders } from "./providers";
export type { BackupPruner } from "./prune-backups";
export { RehearsalError } from "./rehearsal";
export { type ProvidedValues, Release, type ReleaseArgs } from "./release";
export { ReleaseError } from "./release-error";
export type { BackupKind, LiveRelease, ReleaseBackup, ReleaseOutputs } from "./release-outputs";
export { AppliedUnknown, ReviewMissing, ReviewRefused, reviewGate, UnknownSince } from "./review-gate";
export { type RolloutGateOptions, rolloutGate } from "./rollout-gate";
export { SchemaGateMissing } from "./schema-gate";
export { DatabaseSnapshot, type DatabaseSnapshotArgs } from "./snapshot";
export { CopyProviderMissing, type PlannedCopy, SnapshotCopyError } from "./snapshot-copy";
export { SnapshotError } from "./snapshot-status";
export {
  type ReleaseConfig,
  releaseConfig,
  SettingsError,
  type SettingsSource,
  settingsFromConfig,
} from "./stack-settings";
export { type ReleaseBefore, WayBack } from "./way-back";
export { Workload, type WorkloadArgs } from "./workloads";
