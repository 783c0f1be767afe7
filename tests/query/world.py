"""A database of many types and shapes, dumped in every form that is read."""

from __future__ import annotations

import gzip
from pathlib import Path

from forensics.scratch import Scratch

TYPES = r"""
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy');
CREATE DOMAIN tally AS integer CHECK (VALUE > 0);
CREATE TYPE pair AS (a int, b text);
CREATE TABLE kinds (
  id int PRIMARY KEY, small smallint, big bigint, any_number numeric, price numeric(10,2),
  huge numeric(60,30), tens numeric(5,-2), nan numeric(6,2), r real, d double precision,
  yes boolean, day date, moment timestamp, instant timestamptz, clock time, zoned timetz,
  span interval, u uuid, doc json, docb jsonb, bytes bytea, m mood, padded char(5),
  name varchar(20), body text, ip inet, range int4range, composite pair, counted tally,
  cash money, bits bit(3), object oid,
  numbers int[], texts text[], prices numeric(8,3)[], moods mood[], flags boolean[],
  ids uuid[], days date[], grid int[]);
INSERT INTO kinds VALUES
 (1, -5, 9223372036854775807, 1.50, 12.34, 123456789012345678901234567890.5, 12300, 1.25, 1.1,
  1e-300, true, '2020-02-29', '2020-02-29 12:34:56.789', '2020-02-29 12:34:56.789+05:30',
  '23:59:59.999999', '10:00:00+05:30', '1 year 2 mons -3 days 04:05:06.7',
  '550e8400-e29b-41d4-a716-446655440000', '{"a": [1, 2.50]}', '{"k": "v\n"}', '\xdeadbeef',
  'it''s ok', 'ab', 'vc', E'line1\nline2\ttab\\back', '10.0.0.1/8', '[1,5)', '(1,"a b")', 7,
  '12.34', '101', 4000000000,
  '{1,NULL,3}', '{"a,b","q\"uo","NULL",NULL,"","b\\s","{x}"}', '{1.500,NULL}',
  '{sad,"it''s ok"}', '{t,f,NULL}', '{550e8400-e29b-41d4-a716-446655440000}',
  '{2020-01-01,NULL}', '{{1,2},{3,4}}'),
 (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (3, 0, -9223372036854775808, 0.001, -0.01, 1, -100, 'NaN', 'NaN', '-Infinity', false, 'infinity',
  '-infinity', 'infinity', '24:00:00', '00:00:00-15:59:59', '-04:05:06',
  '00000000-0000-0000-0000-000000000000', 'null', '"x"', '', 'sad', '', '', '\N', '::1', 'empty',
  '(,)', 1, '-1.00', '000', 0, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'),
 (4, 1, 1, 12345678901234567890.123, 1, 1, 0, 0, 1.5, 2.5, true, '0044-03-15 BC',
  '0044-03-15 10:00:00 BC', '0044-03-15 10:00:00+00 BC', '00:00', '00:00+00', '3 days',
  '00000000-0000-0000-0000-000000000001', '1', '{"big": 12345678901234567890}', '\x00', 'happy',
  ' ', ' ', '', '1.1.1.1', '(,)', '(1,)', 1, '0', '111', 1, '{1}', '{x}', '{1}', '{happy}', '{t}',
  '{}', '{"0044-03-15 BC",infinity}', '[0:1]={1,2}'),
 (5, 1, 1, 1, 1, 1, 0, 0, 1.5, 2.5, true, '12020-01-01', '12020-01-01 10:00:00',
  '1883-01-01 10:00:00+00:19:32', '12:00', '00:00+00', '00:00:01',
  '00000000-0000-0000-0000-000000000001', '1', '1', '\x5c', 'happy', ' ', ' ', 'a\b', '1.1.1.1',
  '(,)', '(1,)', 1, '0', '111', 1, '{1}', '{x}', '{1}', '{happy}', '{t}', '{}', '{}', '{1}');
"""
SHAPES = """
CREATE SCHEMA shop; CREATE SCHEMA "Odd.S"; CREATE SCHEMA old;
CREATE TABLE hotels (id int PRIMARY KEY, name text, stars int);
INSERT INTO hotels SELECT i, 'hotel ' || i, i % 5 FROM generate_series(1, 20000) i;
CREATE TABLE shop.orders (id int, amount numeric);
INSERT INTO shop.orders SELECT i, i * 1.25 FROM generate_series(1, 1000) i;
CREATE TABLE old.hotels (id int); INSERT INTO old.hotels VALUES (77);
CREATE TABLE old.again (id int); CREATE TABLE shop.again (id int);
CREATE TABLE "Odd.S"."Mixed Case" ("Id" int, "Na""me" text, name text);
INSERT INTO "Odd.S"."Mixed Case" VALUES (1, 'x', 'y');
CREATE TABLE ev (id int, d date) PARTITION BY RANGE (d);
CREATE TABLE ev1 PARTITION OF ev FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE ev2 PARTITION OF ev FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO ev VALUES (1, '2024-02-02'), (2, '2025-02-02'), (3, '2025-03-02');
CREATE TABLE par (id int); CREATE TABLE kid (x text) INHERITS (par);
INSERT INTO par VALUES (1); INSERT INTO kid VALUES (2, 'x');
CREATE TABLE worked_out (a int, b int GENERATED ALWAYS AS (a * 2) STORED);
INSERT INTO worked_out VALUES (1);
CREATE TABLE empty (id int); CREATE TABLE no_columns (); INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE one (t text); INSERT INTO one VALUES (''), (NULL), ('x');
CREATE TABLE cased ("A" int, a text); INSERT INTO cased VALUES (1, 'x');
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM hotels;
"""
FORMS = {
    "plain.sql": (),
    "custom.dump": ("-Fc",),
    "directory": ("-Fd",),
    "tar.tar": ("-Ft",),
    "inserts.sql": ("--inserts",),
    "columns.sql": ("--column-inserts", "--rows-per-insert=100"),
}


def dumped(scratch: Scratch, name: str, folder: Path, more: str = "") -> None:
    """Build the database, with more in it perhaps, and dump it in every form into a folder."""
    scratch.create(name)
    scratch.run(name, TYPES + SHAPES + more)
    for form, options in FORMS.items():
        scratch.dump(name, folder / form, *options)
    packed = gzip.compress((folder / "plain.sql").read_bytes())
    (folder / "packed.sql.gz").write_bytes(packed)
