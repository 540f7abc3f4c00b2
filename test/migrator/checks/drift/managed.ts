/** A history with a partitioned table, an extension and row level security. It needs the role drift_app. */
export const MANAGED = {
  "1_measurement": `CREATE EXTENSION ltree;
    CREATE TYPE state AS ENUM ('open', 'closed');
    CREATE TABLE account (id serial PRIMARY KEY, path ltree UNIQUE, state state);
    ALTER TABLE account ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own_account ON account TO drift_app USING (id = current_setting('app.account')::int);
    CREATE TABLE measurement (id bigint GENERATED ALWAYS AS IDENTITY, account_id int NOT NULL REFERENCES account, at timestamptz NOT NULL,
      label ltree DEFAULT 'none', CHECK (label <> 'all'), PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE INDEX measurement_at ON measurement (at);
    CREATE FUNCTION set_label() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER label BEFORE INSERT ON measurement FOR EACH ROW EXECUTE FUNCTION set_label();
    ALTER TABLE measurement ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    CREATE POLICY own_measurement ON measurement AS RESTRICTIVE USING (account_id = current_setting('app.account')::int) WITH CHECK (account_id > 0);
    GRANT SELECT, INSERT ON measurement TO drift_app;
    CREATE TABLE measurement_default PARTITION OF measurement DEFAULT;
    CREATE TABLE measurement_p2025_11 PARTITION OF measurement FOR VALUES FROM ('2025-11-01') TO ('2025-12-01');
    CREATE TABLE measurement_p2025_12 PARTITION OF measurement FOR VALUES FROM ('2025-12-01') TO ('2026-01-01');`,
};

/** What an administrator sets up before the first release, so that the app may use whatever is made. */
export const DEFAULT_PRIVILEGES = `
ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO drift_app;
ALTER DEFAULT PRIVILEGES GRANT USAGE, SELECT ON SEQUENCES TO drift_app;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO drift_app WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO drift_app;
`;

/** What a partition manager such as pg_partman, an extension such as PostGIS and a monitoring tool make beside it. */
export const MANAGED_BY_OTHERS = `
CREATE SCHEMA partman;
CREATE TABLE partman.part_config (parent_table text PRIMARY KEY, premake int DEFAULT 4);
CREATE TABLE partman.template_measurement (LIKE public.measurement);
CREATE TABLE measurement_p2026_01 PARTITION OF measurement FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
GRANT SELECT, INSERT ON measurement_p2026_01 TO drift_app;
CREATE INDEX measurement_p2026_01_label ON measurement_p2026_01 (label);
ALTER TABLE measurement_p2026_01 SET (autovacuum_vacuum_scale_factor = 0.01), ENABLE ROW LEVEL SECURITY, ADD CHECK (id > 0);
COMMENT ON TABLE measurement_p2026_01 IS 'Made by maintenance.';
CREATE TABLE measurement_p2026_02 (LIKE measurement INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES);
ALTER TABLE measurement ATTACH PARTITION measurement_p2026_02 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE measurement_p2026_03 PARTITION OF measurement FOR VALUES FROM ('2026-03-01') TO ('2026-04-01') PARTITION BY RANGE (at);
CREATE TABLE measurement_p2026_03_1 PARTITION OF measurement_p2026_03 FOR VALUES FROM ('2026-03-01') TO ('2026-03-15');
DROP TABLE measurement_p2025_11;
CREATE SCHEMA archive;
ALTER TABLE measurement DETACH PARTITION measurement_p2025_12;
ALTER TABLE measurement_p2025_12 SET SCHEMA archive;
CREATE EXTENSION fuzzystrmatch;
CREATE TYPE geometry AS (x float, y float);
CREATE DOMAIN srid AS int CHECK (VALUE > 0);
CREATE TABLE spatial_ref_sys (srid serial PRIMARY KEY, srtext text CHECK (srtext <> ''));
CREATE INDEX spatial_text ON spatial_ref_sys (srtext);
CREATE VIEW geometry_columns AS SELECT srid FROM spatial_ref_sys;
CREATE FUNCTION st_area(geometry) RETURNS float LANGUAGE sql AS 'SELECT 1.0::float';
CREATE AGGREGATE st_extent(int) (SFUNC = int4pl, STYPE = int);
GRANT SELECT ON spatial_ref_sys, geometry_columns TO PUBLIC;
COMMENT ON COLUMN spatial_ref_sys.srtext IS 'Of the extension.';
COMMENT ON CONSTRAINT spatial_ref_sys_pkey ON spatial_ref_sys IS 'Of the extension.';
ALTER EXTENSION fuzzystrmatch ADD TYPE geometry;
ALTER EXTENSION fuzzystrmatch ADD DOMAIN srid;
ALTER EXTENSION fuzzystrmatch ADD SEQUENCE spatial_ref_sys_srid_seq;
ALTER EXTENSION fuzzystrmatch ADD TABLE spatial_ref_sys;
ALTER EXTENSION fuzzystrmatch ADD VIEW geometry_columns;
ALTER EXTENSION fuzzystrmatch ADD FUNCTION st_area(geometry);
ALTER EXTENSION fuzzystrmatch ADD AGGREGATE st_extent(int);
CREATE SCHEMA monitoring;
CREATE VIEW monitoring.sizes AS SELECT relname FROM pg_class;
GRANT USAGE ON SCHEMA monitoring TO drift_app;
CREATE TABLE schema_migrations (version text PRIMARY KEY);
`;
