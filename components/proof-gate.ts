import * as pulumi from "@pulumi/pulumi";
import type { PackedHistory } from "../review/packed-history";
import { readReviewProof } from "../review/proof-file";
import type { Review } from "../review/review";
import type { Settings } from "../settings/schema";
import { commandLine } from "../text/command-line";
import { shellWord } from "../text/shell-word";
import type { Live } from "./live-release";
import { type LastRehearsal, rehearsalProblem } from "./rehearsal-proof";
import { ReleaseError } from "./release-error";
import { releaseOutputsSchema } from "./release-outputs";
import { stackOutputsOf } from "./stack-outputs";

/** What `policy.proof` asks for and is not there, with the command that makes it. */
interface MissingProof {
  readonly proof: Settings["policy"]["proof"][number];
  /** Why it is missing, as the end of a sentence. */
  readonly why: string;
  readonly command: string;
}

/** This error reports every proof that is missing for the migrations of a release. It is thrown before anything is changed. */
export class ProofMissing extends ReleaseError {
  override readonly name = "ProofMissing";

  constructor(missing: readonly MissingProof[]) {
    const [only, ...others] = missing;
    super(
      `${missingText(missing)}\nNothing was touched: database and app are as they were.\n` +
        `Next: ${only && others.length === 0 ? only.command : "run these commands"}, then the same command again`,
    );
  }
}

/** What the gate looks at besides the settings and the migrations. */
export interface ProofGateArgs {
  live: Live;
  /** The result of `reviewGate`, which knows the migrations of this release. */
  review: Review;
  /** The result of `lastRehearsal`; undefined if nobody has asked for it. */
  last: LastRehearsal | undefined;
  /** The folder of Pulumi.yaml, below which a review leaves its proof. */
  directory: string;
  /** The beginnings of commands, where they are not those of Pulumi, as on the local cloud. */
  commands: { ops?: string | undefined; up?: string | undefined };
}

/**
 * Checks that everything exists that `policy.proof` names for these very migrations. A release of only a new image, or
 * one that has nothing to apply, needs no proof. In a preview, what is missing is a warning.
 *
 * @returns whether this release has to rehearse its migrations, by `rehearsal.mode`, because nothing proves them yet
 * @throws {@link ProofMissing} that names every missing proof, with the command that makes it
 */
export async function proofGate(
  settings: Settings,
  history: Pick<PackedHistory, "fingerprint">,
  args: ProofGateArgs,
): Promise<boolean> {
  const { policy, rehearsal } = settings;
  const { live, review, last = { proof: undefined }, commands } = args;
  if (review.migrations.length === 0 || live.fingerprint === history.fingerprint) return false;
  const stack = shellWord(pulumi.getStack());
  const { ops = commandLine("ops") } = commands;
  const unrehearsed = rehearsalProblem(last, settings, history);
  const looks: Record<MissingProof["proof"], () => Promise<Omit<MissingProof, "proof"> | undefined>> = {
    review: async () => {
      if (readReviewProof(args.directory, pulumi.getStack(), history.fingerprint)) return undefined;
      return {
        why: "no review of this stack has run these migrations on a real Postgres",
        command: `${commandLine("review")} --run --proof --stack ${stack}`,
      };
    },
    staging: () => stagingProblem(policy.staging ?? "", history, commands),
    rehearsal: async () =>
      unrehearsed === undefined ? undefined : { why: unrehearsed, command: `${ops} rehearse --stack ${stack}` },
  };
  const found = await Promise.all(
    [...new Set(policy.proof)].map(async (proof) => {
      const problem = await looks[proof]();
      return problem ? [{ proof, ...problem }] : [];
    }),
  );
  const missing = found.flat();
  if (missing.length > 0 && !pulumi.runtime.isDryRun()) throw new ProofMissing(missing);
  if (missing.length > 0) void pulumi.log.warn(`\`up\` would end before anything is touched. ${missingText(missing)}`);
  return rehearsal.mode === "copy" && unrehearsed !== undefined;
}

/** Looks whether the stack `policy.staging` has these migrations live. */
async function stagingProblem(
  name: string,
  { fingerprint }: Pick<PackedHistory, "fingerprint">,
  { up }: ProofGateArgs["commands"],
): Promise<Omit<MissingProof, "proof"> | undefined> {
  // The local cloud has the stacks of one project, and its commands name them alone.
  const command = up === undefined ? `pulumi up --stack ${name}` : `${up} --stack ${name.split("/").at(-1)}`;
  try {
    const outputs = await stackOutputsOf(name);
    const live = [outputs, ...Object.values(outputs)].flatMap((each) => released.safeParse(each).data ?? [])[0];
    if (!live) return { why: `stack ${name} has no outputs of a completed release`, command };
    const { migrations, image } = live;
    if (migrations.fingerprint === fingerprint) return undefined;
    const last = migrations.last === null ? "none" : `up to ${migrations.last}`;
    return { why: `stack ${name} has other migrations live (${last}, with ${image})`, command };
  } catch (error) {
    const { details, message } = error as { details?: string; message: string };
    const [reason = ""] = (details || message).split("\n");
    return {
      why: `stack ${name} can't be read: ${reason.replace(/^.*returned an error: /, "")}. Correct policy.staging if it is another one`,
      command,
    };
  }
}

const released = releaseOutputsSchema.pick({ migrations: true, image: true });

function missingText(missing: readonly MissingProof[]): string {
  const lines = missing.map(({ proof, why, command }) => `  - ${proof}: ${why}.\n    It is made by: ${command}`);
  const where = `policy.proof in Pulumi.${pulumi.getStack()}.yaml`;
  return `By ${where}, these migrations need what does not exist for them yet:\n${lines.join("\n")}`;
}
