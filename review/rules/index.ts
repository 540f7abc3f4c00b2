import { badDirective } from "./bad-directive";
import { bookkeepingWrite } from "./bookkeeping-write";
import { cannotReplace } from "./cannot-replace";
import { catalogWrite } from "./catalog-write";
import { changeType } from "./change-type";
import { concurrentlyInTransaction } from "./concurrently-in-transaction";
import { concurrentlyPartitioned } from "./concurrently-partitioned";
import { copyRows } from "./copy-rows";
import { deleteRows } from "./delete-rows";
import { detachPartition } from "./detach-partition";
import { detachWithDefault } from "./detach-with-default";
import { dropColumn } from "./drop-column";
import { dropConstraint } from "./drop-constraint";
import { dropDatabase } from "./drop-database";
import { dropDefault } from "./drop-default";
import { dropGuard } from "./drop-guard";
import { dropIndexLocks } from "./drop-index-locks";
import { dropObject } from "./drop-object";
import { dropOwned } from "./drop-owned";
import { dropRole } from "./drop-role";
import { dropUnique } from "./drop-unique";
import { enumValue } from "./enum-value";
import { enumValueInTransaction } from "./enum-value-in-transaction";
import { foreignKeyPartitioned } from "./foreign-key-partitioned";
import { halfApplied } from "./half-applied";
import { hasDependents } from "./has-dependents";
import { identityAlways } from "./identity-always";
import { leftAsItIs } from "./left-as-it-is";
import { lockHeld } from "./lock-held";
import { manyRows } from "./many-rows";
import { narrowType } from "./narrow-type";
import { newConstraint } from "./new-constraint";
import { newNotNull } from "./new-not-null";
import { newUnique } from "./new-unique";
import { notJudged } from "./not-judged";
import { nullable } from "./nullable";
import { ownTransaction } from "./own-transaction";
import { refreshWithoutUnique } from "./refresh-without-unique";
import { removeEnumValue } from "./remove-enum-value";
import { renameAsDrop } from "./rename-as-drop";
import { renameColumn } from "./rename-column";
import { renameObject } from "./rename-object";
import { renameTable } from "./rename-table";
import { renameType } from "./rename-type";
import { replicaIdentity } from "./replica-identity";
import { requiredColumn } from "./required-column";
import { revoke } from "./revoke";
import { rowSecurity } from "./row-security";
import type { Rule } from "./rule";
import { secretInMigration } from "./secret-in-migration";
import { sequenceBehind } from "./sequence-behind";
import { setUnlogged } from "./set-unlogged";
import { syntaxError } from "./syntax-error";
import { truncateReferenced } from "./truncate-referenced";
import { uniqueWithoutPartitionKey } from "./unique-without-partition-key";
import { validateRows } from "./validate-rows";
import { waitsForLocks } from "./waits-for-locks";
import { workUnderLock } from "./work-under-lock";

/** All rules that judge migrations, in the order in which their findings about one statement are shown. */
export const rules: readonly Rule[] = [
  badDirective,
  renameAsDrop,
  hasDependents,
  cannotReplace,
  refreshWithoutUnique,
  foreignKeyPartitioned,
  uniqueWithoutPartitionKey,
  leftAsItIs,
  dropColumn,
  narrowType,
  dropConstraint,
  setUnlogged,
  dropObject,
  dropDatabase,
  deleteRows,
  removeEnumValue,
  requiredColumn,
  newNotNull,
  nullable,
  dropDefault,
  changeType,
  newConstraint,
  newUnique,
  validateRows,
  dropUnique,
  renameTable,
  renameColumn,
  renameType,
  renameObject,
  enumValue,
  revoke,
  dropRole,
  dropOwned,
  rowSecurity,
  dropGuard,
  replicaIdentity,
  detachPartition,
  catalogWrite,
  bookkeepingWrite,
  sequenceBehind,
  identityAlways,
  copyRows,
  concurrentlyPartitioned,
  truncateReferenced,
  detachWithDefault,
  workUnderLock,
  dropIndexLocks,
  manyRows,
  waitsForLocks,
  notJudged,
  concurrentlyInTransaction,
  ownTransaction,
  enumValueInTransaction,
  halfApplied,
  lockHeld,
  secretInMigration,
  syntaxError,
];
