/** Built-in functions of Postgres that return the same value for all rows of a statement, and have no side effects. */
export const steadyFunctions: ReadonlySet<string> = new Set(
  (
    "now statement_timestamp transaction_timestamp to_timestamp to_date to_char date_trunc date_part extract timezone make_date " +
    "make_timestamp make_timestamptz make_interval age lower upper md5 concat concat_ws format length left right repeat replace " +
    "trim btrim ltrim rtrim substring substr lpad rpad reverse initcap encode decode sha256 digest coalesce greatest least nullif abs " +
    "round floor ceil ceiling trunc power sqrt mod jsonb_build_object jsonb_build_array json_build_object json_build_array to_json " +
    "to_jsonb array_append array_prepend array_cat string_to_array array_to_string current_setting current_database current_schema " +
    "current_user session_user pg_my_temp_schema inet_client_addr txid_current_if_assigned row_to_json int4range int8range tstzrange tsrange " +
    "daterange numrange to_tsvector to_tsquery cardinality array_length starts_with ascii chr"
  ).split(" "),
);

/** Functions of Postgres and of its extension uuid-ossp that may return another value for each row. */
export const movingFunctions: ReadonlySet<string> = new Set(
  "random clock_timestamp timeofday gen_random_uuid uuidv4 uuidv7 uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 nextval txid_current pg_current_xact_id".split(
    " ",
  ),
);

/**
 * Aggregates, set-returning functions and catalog functions that only read. The list also has functions that change the
 * state of a session or sequence, because rules of their own check these.
 */
const others = new Set(
  (
    "count sum avg min max bool_and bool_or every string_agg array_agg json_agg jsonb_agg json_object_agg jsonb_object_agg stddev variance " +
    "percentile_cont percentile_disc mode row_number rank dense_rank ntile lag lead first_value last_value nth_value generate_series unnest " +
    "generate_subscripts json_array_elements jsonb_array_elements json_array_elements_text jsonb_array_elements_text json_each jsonb_each " +
    "json_each_text jsonb_each_text jsonb_object_keys json_object_keys jsonb_set jsonb_insert jsonb_typeof json_typeof jsonb_strip_nulls " +
    "jsonb_array_length json_array_length jsonb_path_query jsonb_path_exists jsonb_extract_path jsonb_extract_path_text json_extract_path " +
    "json_extract_path_text jsonb_pretty regexp_replace regexp_match regexp_matches regexp_split_to_array regexp_split_to_table split_part " +
    "strpos position overlay translate quote_ident quote_literal quote_nullable char_length character_length octet_length sign div " +
    "plainto_tsquery phraseto_tsquery websearch_to_tsquery setweight ts_rank justify_days justify_hours justify_interval date_bin " +
    "array_position array_positions array_remove array_replace array_upper array_lower array_ndims array_dims to_number to_regclass " +
    "to_regtype to_regproc to_regnamespace format_type obj_description col_description version pg_typeof has_table_privilege " +
    "has_schema_privilege has_column_privilege has_database_privilege has_function_privilege has_sequence_privilege pg_has_role " +
    "pg_get_serial_sequence pg_get_constraintdef pg_get_indexdef pg_get_viewdef pg_get_functiondef pg_get_expr pg_table_is_visible " +
    "pg_relation_size pg_table_size pg_indexes_size pg_total_relation_size pg_size_pretty pg_backend_pid pg_is_in_recovery " +
    "pg_advisory_lock pg_advisory_unlock pg_advisory_xact_lock pg_try_advisory_lock pg_try_advisory_xact_lock exists currval lastval " +
    "setval set_config"
  ).split(" "),
);

/** Whether a function is known to do nothing that the review would have to report. The name is without `pg_catalog`. */
export function isPureFunction(name: string): boolean {
  return steadyFunctions.has(name) || movingFunctions.has(name) || others.has(name);
}
