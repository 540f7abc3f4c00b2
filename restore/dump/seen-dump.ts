import type { Look } from "../../backup/restoring/look";

/** What was seen of a dump that can be restored. */
export type SeenDump = Look & { readonly dump: string; readonly manifest: NonNullable<Look["manifest"]> };
