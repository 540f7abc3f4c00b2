import type { FindingClass } from "../settings/finding-classes";
import type { Finding } from "./finding";

/** What an environment refuses. */
export interface ReviewPolicy {
  /** Findings of these classes, from `warning` on. None by default. */
  readonly refuse: readonly FindingClass[];
}

/** "I know, and want it all the same", in a stack's settings. */
export interface Acknowledgement {
  readonly migration: string;
  /** Id of the finding, or its rule alone for all findings of the rule in that migration. */
  readonly finding: string;
  /** Why it is right here; not empty. */
  readonly reason: string;
  /** First characters (at least 8) of the migration's checksum: a change of the file makes the acknowledgement stale. */
  readonly checksum: string;
}

/** What the policy and the acknowledgements make of the findings. */
export interface Gate {
  /** Not acknowledged, and refused by the policy: the release must not begin. */
  readonly refused: readonly Finding[];
  readonly acknowledged: readonly { readonly finding: Finding; readonly reason: string }[];
  /** Acknowledgements that count for nothing, and why. */
  readonly void: readonly { readonly acknowledgement: Acknowledgement; readonly why: string }[];
}

const shortest = 8;

/** Which findings stop a release. Pure: the same findings, policy and acknowledgements give the same answer. */
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

/** What to put into the settings to acknowledge a finding. */
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
