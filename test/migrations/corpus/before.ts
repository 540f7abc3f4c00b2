/** What the statements of the corpus act on: given to the server and, as a migration of its own, to the review. */
export const before = `
CREATE TYPE mood AS ENUM ('ok', 'sad');
CREATE DOMAIN positive AS INT CHECK (VALUE > 0);
CREATE DOMAIN label AS TEXT;
CREATE TABLE author (
  id SERIAL, email TEXT NOT NULL, nick VARCHAR(20), age INT, bio TEXT, price NUMERIC(10,2), size NUMERIC,
  at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, zoned TIMESTAMPTZ(3), gone TIMESTAMP, day DATE, tags TEXT[], codes VARCHAR(10)[],
  data JSON, more JSONB, net CIDR, code CHAR(4), mood mood, bits BIT VARYING(8), score REAL, count SMALLINT, total BIGINT, active BOOLEAN,
  lasts INTERVAL(3), points positive, twice INT GENERATED ALWAYS AS (age * 2) STORED, part_id INT, secret TEXT,
  CONSTRAINT author_pkey PRIMARY KEY (id),
  CONSTRAINT author_bio_check CHECK (bio IS NOT NULL)
);
CREATE TABLE "Post" ("id" SERIAL PRIMARY KEY, "authorId" INT, "title" TEXT, "slug" TEXT, "views" INT NOT NULL DEFAULT 0);
CREATE TABLE tag (name TEXT NOT NULL, note TEXT);
CREATE TABLE big (id BIGINT NOT NULL, "authorId" INT);
ALTER TABLE author ADD CONSTRAINT author_secret_check CHECK (length(secret) < 100) NOT VALID;
CREATE UNIQUE INDEX author_email_key ON author (email);
CREATE INDEX author_age_idx ON author (age);
CREATE UNIQUE INDEX tag_name_idx ON tag (name);
CREATE INDEX "Post_title_idx" ON "Post" ("title");
ALTER TABLE "Post" ADD CONSTRAINT "Post_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES author (id) ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE big ADD CONSTRAINT "big_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES author (id) NOT VALID;
CREATE TABLE event (id INT NOT NULL, at DATE NOT NULL, kind TEXT) PARTITION BY RANGE (at);
CREATE TABLE event_2024 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE event_2025 (id INT NOT NULL, at DATE NOT NULL, kind TEXT);
CREATE TABLE event_2026 (id INT NOT NULL, at DATE NOT NULL, kind TEXT, CONSTRAINT bounds CHECK (at >= '2026-01-01' AND at < '2027-01-01' AND at IS NOT NULL));
CREATE VIEW titles AS SELECT "id", "title" FROM "Post";
CREATE MATERIALIZED VIEW counts AS SELECT "authorId", count(*) AS n FROM "Post" GROUP BY 1;
CREATE UNIQUE INDEX counts_author ON counts ("authorId");
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION stamp() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN clock_timestamp(); END';
CREATE TRIGGER author_touch BEFORE UPDATE ON author FOR EACH ROW EXECUTE FUNCTION touch();
CREATE POLICY everyone ON author USING (true);
CREATE RULE noop AS ON DELETE TO tag DO ALSO NOTHING;
CREATE SEQUENCE numbers;
CREATE PUBLICATION pub FOR TABLE tag;
CREATE STATISTICS author_stats ON age, nick FROM author;
`;

/** Rows, so that reading all of them is seen; the review isn't shown them. */
export const rows = `
INSERT INTO author (email, nick, age, bio, price, gone, code, mood, points, total, count, part_id) SELECT 'a' || i, 'n' || i, i, 'b', 1, now(), 'c', 'ok', 1, i, 1, i FROM generate_series(1, 50) i;
INSERT INTO "Post" ("authorId", "title", "slug") SELECT i, 't' || i, 's' || i FROM generate_series(1, 50) i;
INSERT INTO tag SELECT 'n' || i FROM generate_series(1, 50) i;
INSERT INTO big SELECT i, i FROM generate_series(1, 50) i;
INSERT INTO event SELECT i, '2024-01-01' FROM generate_series(1, 50) i;
INSERT INTO event_2025 SELECT i, '2025-01-01' FROM generate_series(1, 50) i;
INSERT INTO event_2026 SELECT i, '2026-01-01' FROM generate_series(1, 50) i;
REFRESH MATERIALIZED VIEW counts;
`;
