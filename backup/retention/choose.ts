/** What the settings say of old backups (`backup.keep`). A backup stays if one of both says so. */
interface Keep {
  /** The number of the newest ones that stay. */
  readonly last?: number | undefined;
  /** The age up to which all of them stay, in days of 24 hours. */
  readonly days?: number | undefined;
}

/** A backup of one stack, as its store lists it. */
export interface StoredBackup {
  readonly id: string;
  /** The time at which it was begun; its data is of that time. */
  readonly begunAt: Date;
  /** Only a complete one can be restored. An unfinished one is still being made; a failed one never gets complete. */
  readonly state: "complete" | "failed" | "unfinished";
  /**
   * The backups that were made one after the other under one name, because the ones before failed. A release looks for
   * them in their order and ends at the first gap. Default: it is the only one of its name.
   */
  readonly series?: { readonly name: string; readonly number: number } | undefined;
}

/** What decides which backups go. */
export interface Retention {
  /** Default: all of them stay. */
  readonly keep?: Keep | undefined;
  /** The names of backups that stay in any case, such as those in the outputs of the stack, and why. */
  readonly named: ReadonlyMap<string, string>;
  /** The age up to which a release may still rely on a backup (`backup.maxAge`), in milliseconds. */
  readonly maxAgeMs: number;
  readonly now: Date;
}

/** A backup that stays, and why. */
export interface Kept<B extends StoredBackup> {
  readonly backup: B;
  readonly because: string;
}

/** Which backups stay, the newest first, and which ones go, the oldest first. */
export interface Choice<B extends StoredBackup> {
  readonly stay: readonly Kept<B>[];
  readonly go: readonly B[];
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** A backup with its place among the complete ones, of which the newest has 0; undefined if it isn't complete. */
interface Placed {
  readonly backup: StoredBackup;
  readonly place: number | undefined;
  readonly ageMs: number;
}

/** The reasons for which a backup stays; the first one that holds is told. */
const REASONS: readonly {
  readonly holds: (placed: Placed, retention: Retention) => boolean;
  readonly because: (retention: Retention, id: string) => string;
}[] = [
  { holds: ({ backup }, { named }) => named.has(backup.id), because: ({ named }, id) => named.get(id) ?? "" },
  { holds: ({ place }) => place === 0, because: () => "it is the newest" },
  { holds: ({ backup }) => backup.state === "unfinished", because: () => "it is not finished" },
  {
    holds: ({ place }, { keep }) => keep?.last !== undefined && place !== undefined && place < keep.last,
    because: ({ keep }) => `it is among the newest ${keep?.last}`,
  },
  {
    holds: ({ ageMs }, { keep }) => keep?.days !== undefined && ageMs < keep.days * DAY_MS,
    because: ({ keep }) => `it is younger than ${keep?.days === 1 ? "a day" : `${keep?.days} days`}`,
  },
  {
    holds: ({ ageMs }, { maxAgeMs }) => ageMs < maxAgeMs,
    because: () => "a release may rely on it (backup.maxAge)",
  },
  { holds: (_, { keep }) => keep === undefined, because: () => "backup.keep is not set" },
];

/**
 * Chooses which backups of a stack go. The newest complete one never does, and none that a release names, may still rely
 * on, or makes just now. It is a pure function.
 *
 * @param backups the backups of this stack alone
 */
export function chooseBackups<B extends StoredBackup>(backups: readonly B[], retention: Retention): Choice<B> {
  const newestFirst = [...backups].sort(
    (a, b) => b.begunAt.getTime() - a.begunAt.getTime() || b.id.localeCompare(a.id),
  );
  const complete = newestFirst.filter(({ state }) => state === "complete");
  const reasons = newestFirst.map((backup) => {
    const place = backup.state === "complete" ? complete.indexOf(backup) : undefined;
    const placed = { backup, place, ageMs: retention.now.getTime() - backup.begunAt.getTime() };
    const because = REASONS.find(({ holds }) => holds(placed, retention))?.because(retention, backup.id);
    return { backup, because };
  });
  const staying = reasons.filter(({ because }) => because !== undefined).map(({ backup }) => backup);
  const told = reasons.map(({ backup, because }) => ({ backup, because: because ?? laterOne(backup, staying) }));
  return {
    stay: told.flatMap(({ backup, because }) => (because === undefined ? [] : [{ backup, because }])),
    go: told.flatMap(({ backup, because }) => (because === undefined ? [backup] : [])).reverse(),
  };
}

/** Returns why a backup stays because of a later one of its series, which a release would not find without it. */
function laterOne({ series }: StoredBackup, staying: readonly StoredBackup[]): string | undefined {
  if (!series) return undefined;
  const later = staying.find((each) => each.series?.name === series.name && each.series.number > series.number);
  return later && `${later.id} stays, which follows it`;
}
