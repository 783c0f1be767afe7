"""What happened: databases before and after, as SQL."""

SHOP = """
CREATE TABLE hotels (id text PRIMARY KEY, name text NOT NULL);
CREATE TABLE assets (id int PRIMARY KEY, url text);
CREATE TABLE hotel_images (id int PRIMARY KEY,
  hotel_id text NOT NULL REFERENCES hotels ON DELETE CASCADE,
  asset_id int NOT NULL REFERENCES assets ON DELETE CASCADE, sort_order int NOT NULL DEFAULT 0);
INSERT INTO hotels SELECT 'h' || i, 'Hotel ' || i FROM generate_series(1, 10) i;
INSERT INTO assets SELECT i, 'a' || i FROM generate_series(1, 20) i;
INSERT INTO hotel_images SELECT i, 'h' || (1 + i % 10), 1 + (i + i / 10 * 3) % 20, i
  FROM generate_series(1, 60) i;
"""
DROPPED = """
DELETE FROM hotels WHERE id = 'h3';
UPDATE hotels SET name = 'renovated' WHERE id = 'h4';
DROP TABLE hotel_images;
"""

EVERYTHING = r'''
CREATE SCHEMA "Odd.Schema";
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy');
CREATE TYPE "Odd.Schema".point3 AS (x float8, y int);
CREATE DOMAIN positive AS numeric(12, 3) CHECK (value > 0);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN NEW.t := 'touched'; RETURN NEW; END $$;
CREATE TABLE "Odd.Schema"."Mixed ""Case""" (
  "Id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "select" text, padded char(12),
    "Ünï" varchar(9) DEFAULT 'it''s;',
  m mood, p "Odd.Schema".point3, d positive, f8 float8, arr text[], ts timestamptz, j json, b bytea,
  g text GENERATED ALWAYS AS (upper("select")) STORED, t text, EXCLUDE
    USING gist (int4range("Id"::int, "Id"::int, '[]') WITH &&));
INSERT INTO "Odd.Schema"."Mixed ""Case""" ("select", padded, m, p, d, f8, arr, ts, j, b, t)
SELECT CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN '\N' WHEN 3 THEN
  E'tab\there\nnew\\line\rcr' ELSE '\.' END,
  'pad' || i, (enum_range(NULL::mood))[1 + i % 3], ROW(i / 7.0, i)::"Odd.Schema".point3, i,
    CASE i % 3 WHEN 0 THEN 'NaN' ELSE i / 3.0 END,
  ARRAY['a,b', NULL, 'q"x', E'back\\slash'],
    timestamptz '2025-03-30 00:30+00' + i * interval '1 hour', '{"b":  1}', '\x00ff', 'as it was'
  FROM generate_series(1, 40) i;
CREATE INDEX "idx; odd" ON "Odd.Schema"."Mixed ""Case""" (lower("select")) WHERE padded IS NOT NULL;
CREATE TRIGGER touches BEFORE INSERT ON "Odd.Schema"."Mixed ""Case"""
  FOR EACH ROW EXECUTE FUNCTION touch();
COMMENT ON TABLE "Odd.Schema"."Mixed ""Case""" IS 'a table; with -- a comment';
COMMENT ON COLUMN "Odd.Schema"."Mixed ""Case"""."Ünï" IS 'two
lines \! echo';
ALTER TABLE "Odd.Schema"."Mixed ""Case""" ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON "Odd.Schema"."Mixed ""Case""" USING (d > 1);
GRANT SELECT ON "Odd.Schema"."Mixed ""Case""" TO app_reader;
CREATE TABLE parted (id serial, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parted_eu PARTITION OF parted FOR VALUES IN ('eu');
CREATE TABLE parted_us PARTITION OF parted FOR VALUES IN ('us');
INSERT INTO parted (region) SELECT (ARRAY['eu', 'us'])[1 + i % 2] FROM generate_series(1, 30) i;
CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree, name text UNIQUE);
INSERT INTO tree SELECT i, CASE WHEN i > 1 THEN i / 2 END, 'n' || i FROM generate_series(1, 20) i;
CREATE TABLE keyless (a int, b text);
INSERT INTO keyless SELECT i % 3, NULL FROM generate_series(1, 9) i;
CREATE TABLE no_columns ();
CREATE TABLE none_left (id int PRIMARY KEY);
CREATE TABLE leaf (id int PRIMARY KEY, tree_id int CONSTRAINT leaf_tree REFERENCES tree);
INSERT INTO leaf SELECT i, i FROM generate_series(1, 20) i;
CREATE VIEW on_tree AS SELECT * FROM tree;
ALTER TABLE keyless OWNER TO app_reader; ALTER TABLE parted OWNER TO app_reader;
ALTER TYPE mood OWNER TO app_reader;
ALTER DOMAIN positive OWNER TO app_reader; ALTER SCHEMA "Odd.Schema" OWNER TO app_reader;
'''
EVERYTHING_DROPPED = """
DROP SCHEMA "Odd.Schema" CASCADE;
DROP TYPE mood CASCADE;
DROP DOMAIN positive;
DROP TABLE parted, keyless, no_columns, none_left;
DROP TABLE tree CASCADE;
"""
