import type * as pulumi from "@pulumi/pulumi";
import type { Finding } from "../review/finding";
import type { Review } from "../review/review";
import { shellWord } from "../text/shell-word";
import { onError } from "./error-hook";

/** The release that is live before this one, and how the reader goes back to it. */
export interface ReleaseBefore {
  /** The image of its app; undefined if there is none, or if the outputs don't tell it. */
  image: string | undefined;
  /**
   * The review of the migrations since then, if the release is repeated: its own migrations are live already, and the
   * review of the release doesn't judge them again. Default: the review of the release.
   */
  review?: WayBackFacts["review"];
  /**
   * The command that releases the app with another image, for which `{image}` stands; undefined if the program decides
   * the image by itself.
   */
  command: string | undefined;
  /** The command that shows how the backup is restored; undefined if the settings want no backup. */
  restore: string | undefined;
  /** The file of the stack's settings, for messages. */
  settingsFile: string;
}

/** The step of a release that failed. */
export type FailedStep = "migrate" | "rollout" | "smoke" | "contract";

/** What is known of a release when one of its steps fails. */
export interface WayBackFacts {
  before: ReleaseBefore;
  /** The image that is released. */
  image: string;
  /** The review of the migrations since the release before; undefined if there was none. */
  review: Pick<Review, "findings" | "migrations" | "assumes"> | undefined;
  /** Whether the release takes over an app that another tool has made. */
  adopts: boolean;
  /** The names of workloads with an image of their own, which the command doesn't set back. */
  ownImages: readonly string[];
}

/** Whether the version before works with the schema as it is now. */
type Fit = { is: "fits" } | { is: "breaks"; by: string } | { is: "unknown"; why: string };

/**
 * Tells the way back once, however many steps of a release fail. The image before is named where the schema still suits
 * the version before, as far as the review of the migrations since then shows, and otherwise the backup.
 */
export class WayBack {
  #told = false;

  constructor(readonly facts: WayBackFacts) {}

  /**
   * Returns the options of a resource with which the program tells the way back when the resource fails.
   * @param what the resource as a person names it: `Deployment notes`
   */
  hooks(step: FailedStep, what: string): Pick<pulumi.CustomResourceOptions, "hooks"> {
    return onError(`${what}: tell the way back`, async () => {
      // pulumi.log can't be used here: it prints messages one after the other and holds back those of a resource
      // without a URN.
      if (!this.#told) console.warn(wayBackText(step, what, this.facts));
      this.#told = true;
      return false;
    });
  }
}

const APP: Record<FailedStep, string> = {
  migrate: "App: not touched; the version before goes on serving.",
  rollout: "App: the version before goes on serving with the pods that it has.",
  smoke: "App: the new version serves.",
  contract: "App: the new version serves.",
};

const FAILED: Record<FailedStep, string> = {
  migrate: "failed, so nothing was rolled out",
  rollout: "was not rolled out",
  smoke: "failed after the rollout",
  contract: "failed after the rollout",
};

/** Returns the message about a failed step: what happened, the state of database and app, and the way back. */
export function wayBackText(step: FailedStep, what: string, facts: WayBackFacts): string {
  const fit = step === "contract" ? contractFit(facts) : fitOf(facts);
  return [`${what} ${FAILED[step]}.`, databaseLine(step, fit, facts), APP[step], ...wayLines(step, fit, facts)].join(
    "\n",
  );
}

/** The findings that the version before meets. A contract migration only runs after the smoke check. */
function fitOf({ review }: WayBackFacts): Fit {
  if (!review) return { is: "unknown", why: "its migrations were not reviewed" };
  if (review.assumes !== undefined) return { is: "unknown", why: "nothing tells for certain which migrations it has" };
  const later = new Set(review.migrations.flatMap(({ name, contract }) => (contract ? [name] : [])));
  const before = review.findings.filter(({ migration, severity }) => !later.has(migration) && severity !== "info");
  const of = (name: Finding["classes"][number]) => before.find(({ classes }) => classes.includes(name));
  const breaks = of("incompatible");
  if (breaks) return { is: "breaks", by: findingText(breaks) };
  const unknown = of("unknown");
  return unknown ? { is: "unknown", why: findingText(unknown) } : { is: "fits" };
}

function contractFit({ review }: WayBackFacts): Fit {
  const last = review?.migrations.findLast(({ contract }) => contract)?.name;
  const by = last === undefined ? "a contract migration" : `${last}, a contract migration`;
  return { is: "breaks", by: `${by}, takes away what only that version needed, and may have begun` };
}

function findingText({ what, migration, line }: Finding): string {
  return `${what.replace(/\.$/, "")} (${migration}, line ${line})`;
}

function databaseLine(step: FailedStep, fit: Fit, { review }: WayBackFacts): string {
  const state =
    step === "migrate"
      ? "Database: migrations that were finished stay applied"
      : review?.migrations.length === 0
        ? "Database: no migration was pending"
        : "Database: migrated";
  if (fit.is === "fits") return `${state}; the version before works with it.`;
  if (fit.is === "breaks") return `${state}; the version before does not work with it: ${fit.by}.`;
  return `${state}; whether the version before works with it is not known: ${fit.why}.`;
}

function wayLines(step: FailedStep, fit: Fit, { before, image, adopts, ownImages }: WayBackFacts): string[] {
  const backup =
    before.restore === undefined
      ? "There is no backup to go back to (backup.mode is none)."
      : `To go back to the backup: ${before.restore}`;
  if (before.image === undefined)
    return [
      adopts
        ? "No release is live that could be gone back to: the tool that made the app before brings its version back."
        : "There is no version before it to go back to.",
    ];
  if (step === "migrate") return fit.is === "fits" ? [] : [backup];
  if (fit.is === "breaks") return [backup];
  const others =
    ownImages.length > 0 ? [`Set the images of ${ownImages.join(", ")} back too, before that command.`] : [];
  const back =
    before.image === image
      ? [
          `The image is the one before. To go back, set back what was changed in ${before.settingsFile}, then the same \`up\` again.`,
        ]
      : before.command === undefined
        ? [`To go back: have the program release ${before.image}, with the migrations folder as it is now.`]
        : [`To go back: ${before.command.replaceAll("{image}", shellWord(before.image))}`, ...others];
  return fit.is === "fits" ? back : [...back, backup];
}
