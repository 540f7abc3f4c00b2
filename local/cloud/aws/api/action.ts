import type { Json } from "../../provider";
import type { Parameters } from "./query";

/** What an action of RDS' API works on. */
export interface ApiContext {
  readonly cloudDir: string;
  /** The region that is asked, by the signature of the call. Default: that of the databases. */
  readonly region?: string | undefined;
  /** Runs work after the answer of the call; the database is `creating` meanwhile. */
  later(work: () => Promise<void>): void;
}

/** An action of RDS' API. @throws RdsError with which RDS answers */
export type Action = (context: ApiContext, parameters: Parameters) => Promise<{ readonly [name: string]: Json }>;
