import type { RangeVar } from "libpg-query";
import type { Name } from "../sql/identifier";

/**
 * What an interrupted statement may have left, or may have completed before anybody could record so; the migrator looks for it:
 * `index` an INVALID index of that name (without one, any) on the table; `reindex` half-made or replaced indexes;
 * `dropped` none where none of the relations is there; `object` done where an object of the whole server, or a subscription, is there,
 * or isn't; `detach` a partition that is half detached.
 */
export type Remains =
  | { readonly kind: "index"; readonly name: string | undefined; readonly table: RangeVar }
  | { readonly kind: "reindex"; readonly relation: RangeVar }
  | { readonly kind: "dropped"; readonly relations: readonly Name[] }
  | {
      readonly kind: "object";
      readonly object: "database" | "tablespace" | "subscription";
      readonly name: string;
      /** It is there once the statement is done. */
      readonly present: boolean;
    }
  | { readonly kind: "detach"; readonly parent: RangeVar; readonly partition: RangeVar };
