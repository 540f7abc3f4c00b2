import { rehearsalSource } from "./rehearsal-rules";
import { problem, type Rule } from "./rule";

/** The rules for what must be proved before a release. */
export const proofRules: Rule[] = [
  {
    needs: ["policy"],
    broken: ({ policy: { proof, staging } }) => [
      ...problem(
        proof.includes("staging") && staging === undefined,
        ["policy", "staging"],
        "the full name of a stack (organization/project/stack), because policy.proof names staging",
      ),
      ...problem(
        staging !== undefined && !proof.includes("staging"),
        ["policy", "staging"],
        "left out, because policy.proof doesn't name staging",
      ),
    ],
  },
  {
    needs: ["policy", "rehearsal", "backup", "database"],
    broken: (settings) =>
      problem(
        settings.policy.proof.includes("rehearsal") && rehearsalSource(settings, false) === undefined,
        ["policy", "proof"],
        'without "rehearsal", because backup.mode is "none" and database.identifier names no database of RDS',
      ),
  },
];
