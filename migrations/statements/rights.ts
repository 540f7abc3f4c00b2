import { madeKey } from "../schema/schema";
import { keyOf, nameOf } from "../sql/identifier";
import type { Family } from "./family";
import { defines, outside, plain } from "./replay-rules";
import type { NoInverse } from "./undo";

type RightKinds =
  | "GrantStmt"
  | "GrantRoleStmt"
  | "AlterDefaultPrivilegesStmt"
  | "AlterOwnerStmt"
  | "ReassignOwnedStmt"
  | "DropOwnedStmt"
  | "CreateRoleStmt"
  | "AlterRoleStmt"
  | "AlterRoleSetStmt"
  | "DropRoleStmt"
  | "SecLabelStmt";

/** A change of roles or privileges, which no inverse is known of. */
function never(key: string, why: string, harmless = false): () => NoInverse[] {
  return () => [{ of: { kind: "other", key }, never: why, harmless }];
}

const notKept = "who had which privilege before is not kept";
const shared = "roles belong to the whole server";

/** Statements about roles and their privileges. */
export const rights: Family<RightKinds> = {
  GrantStmt: {
    opinion: "judged",
    kind: ({ is_grant }) => (is_grant ? "GRANT" : "REVOKE"),
    replay: plain,
    undo: ({ is_grant, objects = [] }, { schema }) => {
      const [relation] = objects.flatMap((item) => ("RangeVar" in item ? [keyOf(nameOf(item.RangeVar))] : []));
      const kind = schema.tables.get(relation ?? "")?.kind === "table" ? "table" : "view";
      const of =
        relation === undefined ? ({ kind: "other", key: "privileges" } as const) : ({ kind, key: relation } as const);
      const why = is_grant ? `the role keeps the privilege: ${notKept}` : notKept;
      return [{ of, never: why, harmless: is_grant === true }];
    },
  },
  GrantRoleStmt: {
    opinion: "judged",
    replay: () => outside("it changes roles"),
    undo: never("membership of roles", shared),
  },
  AlterDefaultPrivilegesStmt: { opinion: "judged", replay: defines, undo: never("default privileges", notKept, true) },
  AlterOwnerStmt: {
    opinion: "judged",
    kind: () => "ALTER OWNER",
    replay: plain,
    undo: never("owner", "the history doesn't show who owned it before"),
  },
  ReassignOwnedStmt: { opinion: "judged" },
  DropOwnedStmt: { opinion: "judged", takesBack: () => ({ by: "DROP OWNED" }) },
  CreateRoleStmt: {
    opinion: "harmless",
    undo: ({ role = "" }) => [{ of: { kind: "other", key: `role ${role}` }, never: shared, harmless: true }],
    apply({ role = "" }, schema, migration) {
      const key = madeKey("role", role);
      if (!schema.made.has(key)) schema.made.set(key, migration);
    },
  },
  AlterRoleStmt: { opinion: "judged" },
  AlterRoleSetStmt: {
    opinion: { unknown: "the setting holds for each later session of the role, the app's included" },
  },
  DropRoleStmt: { opinion: "judged" },
  SecLabelStmt: { opinion: { unknown: "another program decides what the label allows" } },
};
