import { madeKey } from "../schema/schema";
import type { Family } from "./family";
import { defines, outside, plain } from "./replay-rules";

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

/** Statements about roles and their privileges. */
export const rights: Family<RightKinds> = {
  GrantStmt: { opinion: "judged", kind: ({ is_grant }) => (is_grant ? "GRANT" : "REVOKE"), replay: plain },
  GrantRoleStmt: { opinion: "judged", replay: () => outside("it changes roles") },
  AlterDefaultPrivilegesStmt: { opinion: "judged", replay: defines },
  AlterOwnerStmt: { opinion: "judged", kind: () => "ALTER OWNER", replay: plain },
  ReassignOwnedStmt: { opinion: "judged" },
  DropOwnedStmt: { opinion: "judged", takesBack: () => ({ by: "DROP OWNED" }) },
  CreateRoleStmt: {
    opinion: "harmless",
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
