import { keyOf, type Name } from "../sql/identifier";
import { type LockMode, stronger } from "../sql/locks";

/**
 * The work that a statement does while it holds its lock, and that takes longer for larger tables: `rows` changes rows,
 * `scan` reads every row, `index` builds an index, `rewrite` writes every row again.
 */
export type Work = "none" | "rows" | "scan" | "index" | "rewrite";

const works: readonly Work[] = ["none", "rows", "scan", "index", "rewrite"];

/** What one statement does to one table. */
export interface TableEffect {
  readonly name: Name;
  readonly lock: LockMode;
  readonly work: Work;
  /** The reason for the work, as text for a person: `"id" gets a number for each row`. */
  readonly because?: string;
  /** Whether the work is only assumed, because the column or table isn't known from the history. */
  readonly uncertain?: boolean;
}

/** What one statement does to tables. */
export interface Effect {
  readonly tables: readonly TableEffect[];
  /** Why the effect can't be determined from the statement's text. */
  readonly unknown?: string;
}

/** Collects what a statement does. A table that is touched twice gets the stronger lock and the heavier work. */
export class Effects {
  private readonly tables = new Map<string, TableEffect>();
  private unknown: string | undefined;

  touch(name: Name, lock: LockMode, work: Work = "none", because?: string, uncertain = false): this {
    const before = this.tables.get(keyOf(name));
    const heavier = !before || works.indexOf(work) > works.indexOf(before.work);
    const kept = heavier ? { work, because, uncertain } : before;
    this.tables.set(keyOf(name), {
      name,
      lock: before ? stronger(before.lock, lock) : lock,
      work: kept.work,
      ...(kept.because !== undefined && { because: kept.because }),
      ...(kept.uncertain && { uncertain: true }),
    });
    return this;
  }

  cannotTell(why: string): this {
    this.unknown ??= why;
    return this;
  }

  done(): Effect {
    return { tables: [...this.tables.values()], ...(this.unknown !== undefined && { unknown: this.unknown }) };
  }
}
