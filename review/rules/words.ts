/** Duration of what ends when no pod of the old version is left. */
export const rollout = "Until the rollout is complete";
/** Duration of what no later migration takes back. */
export const permanent = "Permanent";
/** Duration of a failure that a second try does not pass. */
export const always = "On every attempt";
/** Duration of what stays until a person acts. */
export const untilRepaired = "Until somebody repairs it";
/** The only way back from what is permanent. */
export const fromSnapshot = "Only a snapshot brings it back.";
/** Who is affected by a statement that fails. */
export const stops = "The release, which stops here.";
/** Who is affected by rows that are gone. */
export const readers = "All readers of these rows.";
/** Who is affected by an object that is gone. */
export const oldPodsFail = "Pods of the old version fail as soon as they use it; a rollback of the app fails too.";
/** Who is affected by an object that a contract migration drops. */
export const rollbackFails = "A rollback of the app to the version before fails.";
/** Who is affected by a migration of which only a part is applied. */
export const repairer = "Whoever repairs a failed release.";
/** Who has to act where the text doesn't tell what a statement does. */
export const reviewer = "The reviewer has to read it.";
/** Who is affected by what a role loses. */
export const appConnections = "Connections of the app as this role fail, in pods of the old and of the new version.";
/** Note of a proposal that is a contract migration. */
export const contractNote =
  "Release it with, or after, the version that no longer uses it: it then runs when no old pod is left.";
