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
CREATE DOMAIN small_positive AS positive CHECK (VALUE < 1000);
CREATE DOMAIN loose AS label;
CREATE TABLE wide (
  id INT NOT NULL, a VARCHAR(20), b VARCHAR(20), c VARCHAR(20), d VARCHAR(20), e VARCHAR(20), f VARCHAR(20), g VARCHAR(20), h VARCHAR(20), i VARCHAR(20),
  note TEXT, exact TEXT COLLATE "C", n INT, net CIDR, cost NUMERIC(10,2), cheap NUMERIC(10,2), tag label, size small_positive,
  CONSTRAINT wide_pkey PRIMARY KEY (id), CONSTRAINT wide_e_check CHECK (e <> ''), CONSTRAINT wide_f_check CHECK (length(f) > n),
  CONSTRAINT wide_i_excl EXCLUDE (i WITH =)
);
ALTER TABLE wide ADD CONSTRAINT wide_g_check CHECK (g <> 'x') NOT VALID;
CREATE INDEX wide_a_idx ON wide (lower(a));
CREATE INDEX wide_b_idx ON wide (b) WHERE n > 0;
CREATE INDEX wide_c_idx ON wide (n) WHERE c IS NOT NULL;
CREATE UNIQUE INDEX wide_d_idx ON wide (d, n);
CREATE INDEX wide_h_idx ON wide (n) INCLUDE (h);
CREATE INDEX wide_note_idx ON wide (note);
CREATE INDEX wide_exact_idx ON wide (exact);
CREATE INDEX wide_net_idx ON wide (net);
CREATE INDEX wide_cost_idx ON wide (cost);
CREATE INDEX wide_cheap_idx ON wide (cheap) WHERE cheap < 10;
CREATE TABLE log (id INT NOT NULL, k INT NOT NULL, v VARCHAR(20)) PARTITION BY RANGE (k);
CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (100);
CREATE TABLE log_rest PARTITION OF log DEFAULT;
CREATE TABLE log_2 (id INT NOT NULL, k INT NOT NULL, v VARCHAR(20));
CREATE TABLE log_3 (id INT NOT NULL, k INT NOT NULL, v VARCHAR(20), CONSTRAINT log_3_k CHECK (k >= 300 AND k < 400));
CREATE TABLE log_4 (id INT NOT NULL, k INT NOT NULL, v VARCHAR(20), CONSTRAINT log_4_id CHECK (id > 0));
CREATE INDEX log_v_idx ON log (lower(v));
CREATE TABLE sorted (id INT NOT NULL, kind TEXT NOT NULL, v VARCHAR(20)) PARTITION BY LIST (kind);
CREATE TABLE sorted_a PARTITION OF sorted FOR VALUES IN ('a');
CREATE TABLE sorted_rest PARTITION OF sorted DEFAULT;
ALTER TABLE sorted_rest ADD CONSTRAINT sorted_rest_kind CHECK (kind <> 'b');
CREATE INDEX sorted_a_v_idx ON sorted_a (v) WHERE id > 0;
CREATE TABLE device (id INT PRIMARY KEY);
CREATE TABLE measure (id INT NOT NULL, k INT NOT NULL, device INT REFERENCES device (id), PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE measure_1 PARTITION OF measure FOR VALUES IN (1);
CREATE TABLE measure_2 (id INT NOT NULL, k INT NOT NULL, device INT);
CREATE TABLE reading (id INT NOT NULL, measure_id INT, k INT, FOREIGN KEY (measure_id, k) REFERENCES measure (id, k));
CREATE TABLE measure_4 (id INT NOT NULL, k INT NOT NULL, device INT REFERENCES device (id), PRIMARY KEY (id, k), CONSTRAINT measure_4_k CHECK (k IN (4)));
CREATE TABLE sorted_d (id INT NOT NULL, kind TEXT NOT NULL, v VARCHAR(20), CONSTRAINT sorted_d_kind CHECK (kind = 'd'));
CREATE TABLE top (id INT PRIMARY KEY);
CREATE TABLE middle (id INT PRIMARY KEY, top INT REFERENCES top (id));
CREATE TABLE bottom (id INT PRIMARY KEY, middle INT REFERENCES middle (id));
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
INSERT INTO wide (id, a, b, c, d, e, f, g, h, i, note, exact, n, net, cost, cheap, tag, size) SELECT i, 'a', 'b', 'c', 'd' || i, 'e', 'long enough' || repeat('x', i % 3), 'g', 'h', 'i' || i, 'n', 'x', 1, '10.0.0.0/8', 1, 1, 't', 1 FROM generate_series(1, 50) i;
INSERT INTO log SELECT i, i * 3, 'v' FROM generate_series(1, 50) i;
INSERT INTO log_2 SELECT i, 200, 'v' FROM generate_series(1, 50) i;
INSERT INTO log_3 SELECT i, 300, 'v' FROM generate_series(1, 50) i;
INSERT INTO log_4 SELECT i, 400, 'v' FROM generate_series(1, 50) i;
INSERT INTO sorted SELECT i, CASE WHEN i > 25 THEN 'a' ELSE 'z' END, 'v' FROM generate_series(1, 50) i;
INSERT INTO device SELECT i FROM generate_series(1, 50) i;
INSERT INTO measure SELECT i, 1, i FROM generate_series(1, 50) i;
INSERT INTO measure_2 SELECT i, 2, i FROM generate_series(1, 50) i;
INSERT INTO top SELECT i FROM generate_series(1, 50) i;
INSERT INTO middle SELECT i, i FROM generate_series(1, 50) i;
INSERT INTO bottom SELECT i, i FROM generate_series(1, 50) i;
REFRESH MATERIALIZED VIEW counts;
`;

/**
 * More rows, which everything lets in that is there before, and which a new key, type, check or bound that statements of
 * the corpus make does not. The review isn't shown them either.
 */
export const violations = `
SET session_replication_role = replica;
INSERT INTO author (email, nick, age, bio, price, size, gone, day, tags, codes, data, net, code, mood, bits, score, total, count, active, points, part_id)
  SELECT 'v' || i || repeat('x', 300), CASE WHEN i > 1 THEN repeat('y', 20) END, -1, 'b', 99999999.99, 1e30, now(), '2020-01-01', ARRAY['a'], ARRAY['abcdefghij'], '{}',
    '10.0.0.0/8', 'c', 'ok', B'1', 1e30, 5000000000, 1, true, 900000, 9000 FROM generate_series(1, 3) i;
INSERT INTO author (email, nick, bio, points) VALUES ('w', '', 'b', NULL);
INSERT INTO "Post" ("id", "authorId", "title", "slug") VALUES (9001, NULL, NULL, repeat('s', 30)), (9002, NULL, 't', 's1');
INSERT INTO tag (name, note) VALUES ('other', NULL);
INSERT INTO big VALUES (1, 1), (9000, 9000), (5000000000, NULL);
INSERT INTO event VALUES (-1, '2024-01-01'), (-1, '2024-01-01');
INSERT INTO event_2025 VALUES (1, '2030-01-01');
INSERT INTO wide (id, a, i, n, size, note, exact, tag) VALUES (9001, repeat('a', 20), 'j1', -1, NULL, repeat('n', 300), 'x', 'x'), (9002, NULL, 'j2', 999999, 999, NULL, 'x', 'x');
INSERT INTO log VALUES (-1, 550, 'v'), (-1, 550, 'v'), (1, 250, NULL), (1, 350, NULL), (1, 450, NULL);
INSERT INTO log_2 VALUES (1, 900, 'v');
INSERT INTO log_4 VALUES (1, 900, 'v');
INSERT INTO sorted VALUES (1, 'c', 'v'), (2, 'd', 'v');
INSERT INTO measure_2 VALUES (1, 2, 9000), (1, 2, 9000), (2, 3, 1);
ALTER TABLE author DROP CONSTRAINT author_secret_check;
UPDATE author SET secret = repeat('s', 200) WHERE email = 'w';
ALTER TABLE author ADD CONSTRAINT author_secret_check CHECK (length(secret) < 100) NOT VALID;
SET session_replication_role = origin;
`;
