import type { FindingClass } from "../settings/finding-classes";
import type { Finding } from "./finding";

/** The findings that an environment refuses. */
export interface ReviewPolicy {
  /** The classes whose findings of severity `warning` or `error` are refused. Default: none. */
  readonly refuse: readonly FindingClass[];
}

/** An entry in a stack's settings with which a person accepts a finding. */
export interface Acknowledgement {
  readonly migration: string;
  /** The id of the finding, or only its rule for all findings of that rule in the migration. */
  readonly finding: string;
  /** The reason why the finding is acceptable here; not empty. */
  readonly reason: string;
  /** The first characters (at least 8) of the migration's checksum. A change of the file voids the acknowledgement. */
  readonly checksum: string;
}

/** The result of applying the policy and the acknowledgements to the findings. */
export interface Gate {
  /** The findings that the policy refuses and nobody has acknowledged. With any of them the release must not begin. */
  readonly refused: readonly Finding[];
  readonly acknowledged: readonly { readonly finding: Finding; readonly reason: string }[];
  /** The acknowledgements without effect, each with the reason. */
  readonly void: readonly { readonly acknowledgement: Acknowledgement; readonly why: string }[];
}

const shortest = 8;

/** Decides which findings stop a release. It is pure: its result depends on its arguments only. */
export function gate(
  findings: readonly Finding[],
  policy: ReviewPolicy,
  acknowledgements: readonly Acknowledgement[],
): Gate {
  const used = new Set<Acknowledgement>();
  const refused: Finding[] = [];
  const acknowledged: { finding: Finding; reason: string }[] = [];
  for (const finding of findings) {
    const acknowledgement = acknowledgements.find(
      (candidate) => covers(candidate, finding) && problem(candidate, finding) === undefined,
    );
    if (acknowledgement) {
      used.add(acknowledgement);
      acknowledged.push({ finding, reason: acknowledgement.reason });
    } else if (finding.severity !== "info" && finding.classes.some((item) => policy.refuse.includes(item)))
      refused.push(finding);
  }
  const unused = acknowledgements.filter((acknowledgement) => !used.has(acknowledgement));
  return {
    refused,
    acknowledged,
    void: unused.map((acknowledgement) => ({ acknowledgement, why: whyVoid(acknowledgement, findings) })),
  };
}

/** Returns the entry for the settings that acknowledges a finding. */
export function acknowledgementFor(finding: Finding, reason = "…"): Acknowledgement {
  return { migration: finding.migration, finding: finding.id, checksum: finding.checksum.slice(0, shortest), reason };
}

function covers(acknowledgement: Acknowledgement, finding: Finding): boolean {
  return (
    acknowledgement.migration === finding.migration &&
    (acknowledgement.finding === finding.id || acknowledgement.finding === finding.rule)
  );
}

function problem({ checksum, reason }: Acknowledgement, finding: Finding): string | undefined {
  if (reason.trim() === "") return "it gives no reason";
  if (checksum.length < shortest) return `its checksum has fewer than ${shortest} characters`;
  if (!finding.checksum.startsWith(checksum.toLowerCase()))
    return `the file was changed since: its checksum begins with ${finding.checksum.slice(0, shortest)}, no longer with ${checksum}`;
  return undefined;
}

function whyVoid(acknowledgement: Acknowledgement, findings: readonly Finding[]): string {
  const same = findings.filter(({ migration }) => migration === acknowledgement.migration);
  const covered = same.find((finding) => covers(acknowledgement, finding));
  if (covered) return problem(acknowledgement, covered) ?? "another acknowledgement says the same";
  if (same.length > 0) return `the review finds no ${acknowledgement.finding} in it`;
  return "the review finds nothing in a migration of that name in this release";
}
