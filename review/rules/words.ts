/** The duration of a problem that ends when no pod of the old version is left. */
export const rollout = "Until the rollout is complete";
/** The duration of a loss that no later migration can undo. */
export const permanent = "Permanent";
/** The duration of a failure that happens again on every try. */
export const always = "On every attempt";
/** The duration of a problem that a person must solve. */
export const untilRepaired = "Until somebody repairs it";
/** The only way to undo a permanent loss. */
export const fromSnapshot = "Only a snapshot brings it back.";
/** The text on who is affected by a statement that fails. */
export const stops = "The release, which stops here.";
/** The text on who is affected by deleted rows. */
export const readers = "All readers of these rows.";
/** The text on who is affected by a dropped object. */
export const oldPodsFail = "Pods of the old version fail as soon as they use it; a rollback of the app fails too.";
/** The text on who is affected by an object that a contract migration drops. */
export const rollbackFails = "A rollback of the app to the version before fails.";
/** The text on who is affected by a partly applied migration. */
export const repairer = "Whoever repairs a failed release.";
/** The text on who has to act if the effect of a statement can't be read from its text. */
export const reviewer = "The reviewer has to read it.";
/** The text on who is affected by rights that a role loses. */
export const appConnections = "Connections of the app as this role fail, in pods of the old and of the new version.";
/** The note about a proposal that is a contract migration. */
export const contractNote =
  "Release it with, or after, the version that no longer uses it: it then runs when no old pod is left.";
