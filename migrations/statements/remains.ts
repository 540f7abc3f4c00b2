import type { RangeVar } from "libpg-query";
import type { Name } from "../sql/identifier";

/**
 * What an interrupted statement may have left, or may have completed before that was recorded. The migrator looks for
 * it: `index` is an INVALID index of that name on the table (any index if there is no name); `reindex` is a half-made
 * or replaced index; `dropped` is done if none of the relations exists; `object` is done if the database, tablespace or
 * subscription exists, or doesn't, as `present` requires; `detach` is a partition that is half detached.
 */
export type Remains =
  | { readonly kind: "index"; readonly name: string | undefined; readonly table: RangeVar }
  | { readonly kind: "reindex"; readonly relation: RangeVar }
  | { readonly kind: "dropped"; readonly relations: readonly Name[] }
  | {
      readonly kind: "object";
      readonly object: "database" | "tablespace" | "subscription";
      readonly name: string;
      /** Whether the object exists once the statement is done. */
      readonly present: boolean;
    }
  | { readonly kind: "detach"; readonly parent: RangeVar; readonly partition: RangeVar };
