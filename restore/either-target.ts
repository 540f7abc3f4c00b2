import type {
  CopyPurpose,
  Difference,
  ListedCopy,
  Move,
  RestoredCopy,
  RestorePlan,
  RestoreRequest,
  RestoreTarget,
  Say,
} from "./target";

/**
 * The target of a database that has backups of two kinds: restores are of the first kind, and the copies of both are
 * listed and removed.
 */
export class EitherTarget implements RestoreTarget {
  constructor(
    readonly first: RestoreTarget,
    readonly second: () => RestoreTarget,
  ) {}

  fixedName(purpose: CopyPurpose): string {
    return this.first.fixedName(purpose);
  }

  plan(request: RestoreRequest): Promise<RestorePlan> {
    return this.first.plan(request);
  }

  carryOut(plan: RestorePlan, say: Say): Promise<RestoredCopy> {
    return this.first.carryOut(plan, say);
  }

  differences(plan: RestorePlan): Promise<Difference[]> {
    return this.first.differences(plan);
  }

  async move(name: string): Promise<Move> {
    const target = await this.#of(name);
    if (!target.move) throw new Error("Neither kind of copies is one to which an app can't be moved.");
    return target.move(name);
  }

  async list(): Promise<ListedCopy[]> {
    return [...(await this.first.list()), ...(await this.second().list())];
  }

  async remove(name: string, unprotect: boolean, say: Say): Promise<void> {
    return (await this.#of(name)).remove(name, unprotect, say);
  }

  async #of(name: string): Promise<RestoreTarget> {
    return (await this.first.list()).some((copy) => copy.name === name) ? this.first : this.second();
  }
}
