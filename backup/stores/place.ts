import { claimStore } from "./claim";
import { parseS3, s3Store } from "./s3";
import type { Store } from "./store";

/** Where dumps are, as the command line of a program says it. */
export interface StorePlace {
  /** The bucket with its prefix, or the claim whose volume is mounted. */
  readonly place: { readonly to: string } | { readonly claim: string; readonly folder: string };
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
}

/** The variables that hold credentials of the store, which a log must never show. */
export const STORE_SECRETS = ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"] as const;

/** Opens the store of a place. Nothing is asked of it yet. */
export function storeAt({ place, endpoint, region }: StorePlace): Store {
  return "to" in place ? s3Store({ ...parseS3(place.to), endpoint, region }) : claimStore(place.folder, place.claim);
}
