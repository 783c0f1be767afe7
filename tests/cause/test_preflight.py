"""Preflight: counts on a real database, and whether PostgreSQL then does what was foretold."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from forensics.errors import LiveError
from forensics.evidence.live.source import LiveSource
from forensics.evidence.migrations import Migration, read_folder
from forensics.preflight.check import pending, preflight
from forensics.preflight.output import Flight, github, level, plain_flight, sarif
from forensics.scratch import Scratch
from tests.cause.incidents import Prisma

BEFORE = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE shops (id int PRIMARY KEY, code text, open boolean NOT NULL, rent numeric(10, 2), feels mood, opened timestamp);
CREATE TABLE shelves (id int PRIMARY KEY, shop_id int REFERENCES shops (id) ON DELETE CASCADE, note text);
CREATE TABLE goods (id int PRIMARY KEY, shelf_id int REFERENCES shelves (id) ON DELETE CASCADE, name varchar(40));
CREATE TABLE leases (id int PRIMARY KEY, shop_id int REFERENCES shops (id));
CREATE TABLE signs (id int PRIMARY KEY, shop_id int REFERENCES shops (id) ON DELETE SET NULL);
CREATE TABLE people (id int PRIMARY KEY, boss int REFERENCES people (id), name text);
CREATE TABLE lone (id int PRIMARY KEY, n text, big bigint);
INSERT INTO shops SELECT i, nullif('c' || i % 15, 'c0'), i % 4 > 0, i * 1.25, (array['sad', 'ok', NULL])[1 + i % 3]::mood,
    timestamp '2026-01-01' + i * interval '12 hours' FROM generate_series(1, 20) i;
INSERT INTO shelves SELECT i, 1 + i % 20, nullif('n' || i % 2, 'n0') FROM generate_series(1, 60) i;
INSERT INTO goods SELECT i, 1 + i % 60, 'good ' || i FROM generate_series(1, 240) i;
INSERT INTO leases VALUES (1, 1), (2, 2), (3, 2), (4, NULL);
INSERT INTO signs SELECT i, i FROM generate_series(1, 20) i;
INSERT INTO people SELECT i, nullif(i / 2, 0), 'p' FROM generate_series(1, 8) i;
CREATE SCHEMA old;
CREATE TABLE old.shops (id int PRIMARY KEY, code text);
CREATE TABLE folders (id int PRIMARY KEY, up int REFERENCES folders (id) ON DELETE CASCADE);
CREATE TABLE assets (id int PRIMARY KEY, place text);
CREATE TABLE photos (taken date) INHERITS (assets);
CREATE DOMAIN price AS numeric;
CREATE EXTENSION citext;
CREATE TABLE dishes (id int PRIMARY KEY, costs price, tag citext, CONSTRAINT dear CHECK (id < 100));
CREATE VIEW menu AS SELECT id, tag FROM dishes;
CREATE VIEW short_menu AS SELECT m.id FROM menu m JOIN dishes USING (id);
CREATE VIEW specials AS SELECT s.id FROM short_menu s JOIN dishes USING (id);
CREATE TABLE tills (id int PRIMARY KEY, n int);
CREATE RULE follow AS ON DELETE TO tills DO ALSO DELETE FROM dishes WHERE id = old.n;
CREATE TABLE log (id int PRIMARY KEY);
CREATE TABLE notes (id int PRIMARY KEY, seen timestamptz);
CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM log WHERE id = OLD.id; RETURN OLD; END';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.seen := now(); RETURN NEW; END';
CREATE TRIGGER forget AFTER DELETE ON notes FOR EACH ROW EXECUTE FUNCTION forget();
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION touch();
CREATE FUNCTION purge() RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM goods WHERE id > 200; RETURN 1; END';
CREATE FUNCTION purge_twice() RETURNS int LANGUAGE sql AS 'DELETE FROM lone; SELECT purge()';
CREATE FUNCTION lay_off() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM people WHERE id > 3; END;
CREATE FUNCTION lay_off(start int) RETURNS void LANGUAGE sql AS 'DELETE FROM leases WHERE id > start';
DO $$ BEGIN CREATE ROLE keeper; EXCEPTION WHEN duplicate_object THEN END $$;
CREATE TABLE diary (id int PRIMARY KEY);
ALTER TABLE diary OWNER TO keeper;
INSERT INTO old.shops VALUES (1, 'a'), (2, NULL), (3, 'c');
INSERT INTO folders SELECT i, nullif(i / 2, 0) FROM generate_series(1, 15) i;
INSERT INTO assets SELECT i, 'a' FROM generate_series(1, 5) i;
INSERT INTO photos SELECT i, 'p', '2026-01-01' FROM generate_series(11, 16) i;
INSERT INTO dishes SELECT i, i, nullif('t' || i, 't1') FROM generate_series(1, 9) i;
ALTER TABLE dishes ADD CONSTRAINT cheap CHECK (costs < 8) NOT VALID;
INSERT INTO notes SELECT generate_series(1, 9);
INSERT INTO log SELECT generate_series(1, 9);
INSERT INTO diary SELECT generate_series(1, 4);
INSERT INTO tills VALUES (1, 1);
CREATE TABLE firms (id int PRIMARY KEY);
CREATE TABLE teams (id int PRIMARY KEY, firm int REFERENCES firms ON DELETE CASCADE);
CREATE TABLE staff (id int PRIMARY KEY, firm int REFERENCES firms ON DELETE CASCADE, boss int REFERENCES staff ON DELETE CASCADE,
    desk int REFERENCES teams ON DELETE SET NULL, home int REFERENCES teams);
CREATE TABLE team_staff (id int PRIMARY KEY, team int REFERENCES teams ON DELETE CASCADE, person int REFERENCES staff ON DELETE CASCADE, role text);
CREATE TABLE badges (id int PRIMARY KEY, team_staff int REFERENCES team_staff ON DELETE CASCADE);
INSERT INTO firms SELECT generate_series(1, 4);
INSERT INTO teams SELECT i, 1 + i % 4 FROM generate_series(1, 20) i;
INSERT INTO staff SELECT i, 1 + i % 4, CASE WHEN i % 8 = 7 THEN i - 1 END, 1 + i % 20, CASE WHEN i % 4 = 1 THEN 1 END FROM generate_series(1, 60) i;
INSERT INTO team_staff SELECT i, 1 + i * 7 % 20, 1 + i % 60, 'r' || i % 3 FROM generate_series(1, 180) i;
INSERT INTO badges SELECT i, 1 + i % 180 FROM generate_series(1, 200) i;
INSERT INTO lone SELECT i, CASE i % 3 WHEN 0 THEN 'x' || i ELSE i::text END, i * 1000000000::bigint FROM generate_series(1, 9) i;
"""

# name: (migration, {(line, hazard, table, column): (rows, fails)} that must be among the answers, or None for what must not)
Wanted = dict[tuple[int, str, str | None, str | None], tuple[int | None, bool] | None]
CASES: dict[str, tuple[str, Wanted]] = {
    "drop table": ("DROP TABLE goods;", {(1, "drop-table", "goods", None): (240, False)}),
    "drop a table that others refer to": (
        "DROP TABLE shops;",
        {(1, "drop-table", "shops", None): (20, True)},
    ),
    "with cascade it goes": (
        "DROP TABLE shops CASCADE;",
        {
            (1, "drop-table", "shops", None): (20, False),
            (1, "drop-cascade", "shops", None): (0, False),
        },
    ),
    "with its referrers it goes": (
        "DROP TABLE goods; DROP TABLE shelves, leases, signs, shops;",
        {
            (1, "drop-table", "shops", None): (20, False),
            (1, "drop-table", "shelves", None): (60, False),
        },
    ),
    "after the foreign keys it goes": (
        "ALTER TABLE shelves DROP CONSTRAINT shelves_shop_id_fkey;\nALTER TABLE leases DROP COLUMN shop_id;\nALTER TABLE signs DROP CONSTRAINT signs_shop_id_fkey;\nDROP TABLE shops;",
        {
            (4, "drop-table", "shops", None): (20, False),
            (2, "drop-column", "leases", "shop_id"): (3, False),
        },
    ),
    "if exists": ("DROP TABLE IF EXISTS absent;", {(1, "drop-table", "absent", None): (0, False)}),
    "absent": ("DROP TABLE absent;", {(1, "drop-table", "absent", None): (0, True)}),
    "drop column": (
        "ALTER TABLE shops DROP COLUMN code;",
        {(1, "drop-column", "shops", "code"): (19, False)},
    ),
    "drop column that is referred to": (
        "ALTER TABLE shops DROP COLUMN id;",
        {(1, "drop-column", "shops", "id"): (20, True)},
    ),
    "drop type": ("DROP TYPE mood;", {(1, "drop-type", "shops", "feels"): (13, True)}),
    "drop type cascade": (
        "DROP TYPE mood CASCADE;",
        {(1, "drop-type", "shops", "feels"): (13, False)},
    ),
    "truncate": ("TRUNCATE goods;", {(1, "truncate", "goods", None): (240, False)}),
    "truncate referred": ("TRUNCATE shops;", {(1, "truncate", "shops", None): (20, True)}),
    "truncate cascade": (
        "TRUNCATE shelves CASCADE;",
        {
            (1, "truncate", "shelves", None): (60, False),
            (1, "drop-cascade", "goods", None): (240, False),
        },
    ),
    "delete all": ("DELETE FROM goods;", {(1, "delete-all", "goods", None): (240, False)}),
    "delete and what hangs on it": (
        "DELETE FROM shops s WHERE NOT s.open;",
        {
            (1, "delete-where", "shops", None): (5, False),
            (1, "delete-cascades", "shelves", None): (15, False),
            (1, "delete-cascades", "goods", None): (60, False),
            (1, "delete-cascades", "signs", "shop_id"): (5, False),
        },
    ),
    "delete that comes to a table by several ways": (
        "DELETE FROM firms WHERE id = 2;\nCREATE TABLE branches (id bigserial PRIMARY KEY, firm int REFERENCES firms);\n"
        "DELETE FROM firms WHERE id = 3;\nDELETE FROM badges;",
        {
            (1, "delete-cascades", "teams", None): (5, False),
            (1, "delete-cascades", "staff", None): (15, False),
            (1, "delete-cascades", "staff", "desk"): (15, False),
            (1, "delete-cascades", "team_staff", None): (45, False),
            (3, "delete-cascades", "branches", None): None,
        },
    ),
    "new keys under old names": (
        "ALTER TABLE shelves RENAME COLUMN id TO number;\nDELETE FROM shelves WHERE number < 4;\n"
        "ALTER TABLE lone RENAME COLUMN id TO old_id;\nALTER TABLE lone ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid();\n"
        "CREATE TABLE lone_notes (note int REFERENCES notes, lone uuid NOT NULL);\n"
        "INSERT INTO lone_notes SELECT n.id, l.id FROM notes n JOIN lone l ON l.old_id = n.id;\n"
        "ALTER TABLE lone DROP CONSTRAINT lone_pkey;\nALTER TABLE lone ADD PRIMARY KEY (id);\n"
        "ALTER TABLE lone_notes ADD FOREIGN KEY (lone) REFERENCES lone;\nALTER TABLE lone ADD COLUMN row serial UNIQUE;",
        {
            (2, "delete-cascades", "goods", None): (12, False),
            (8, "add-unique", "lone", "id"): (0, False),
            (9, "add-foreign-key", "lone_notes", "lone"): (0, False),
        },
    ),
    "what is passed over, and what is filled in": (
        "ALTER TABLE IF EXISTS nowhere DROP COLUMN x, ALTER COLUMN y SET NOT NULL;\nALTER TABLE IF EXISTS lone DROP COLUMN IF EXISTS nothing;\n"
        "INSERT INTO shops SELECT id + 100, 'new', true, NULL, NULL, '2026-02-01' FROM shops;\nDELETE FROM shops WHERE id > 100;\n"
        "DELETE FROM shops WHERE opened > '2026-01-05' AND NOT open;",
        {
            (1, "drop-column", "nowhere", "x"): (0, False),
            (5, "delete-where", "shops", None): (3, False),
        },
    ),
    "rows that go into an archive": (
        "CREATE TABLE old_goods (LIKE goods INCLUDING ALL);\n"
        "WITH gone AS (DELETE FROM goods WHERE shelf_id <= 30 RETURNING *) INSERT INTO old_goods SELECT * FROM gone;\n"
        "DELETE FROM shelves WHERE id <= 30;\n"
        "WITH kept AS (INSERT INTO old_goods (id, name) SELECT id, name FROM goods WHERE id % 60 = 40 RETURNING id) "
        "DELETE FROM goods WHERE id IN (SELECT id FROM kept);\n"
        "WITH gone AS (DELETE FROM leases USING shops s WHERE s.id = shop_id RETURNING shop_id) DELETE FROM signs WHERE shop_id IN (SELECT * FROM gone);\n"
        "DELETE FROM shops WHERE id < 3;\nDELETE FROM old_goods;",
        {
            (2, "delete-where", "goods", None): (120, False),
            (3, "delete-cascades", "goods", None): None,
            (4, "delete-where", "goods", None): (4, False),
            (5, "delete-where", "leases", None): (3, False),
            (5, "delete-where", "signs", None): (2, False),
            (6, "delete-cascades", "leases", None): None,
            (7, "delete-all", "old_goods", None): (124, False),
        },
    ),
    "merge": (
        "MERGE INTO team_staff t USING staff s ON s.id = t.person WHEN MATCHED AND s.id < 3 THEN DO NOTHING\n"
        "  WHEN MATCHED AND s.id < 5 THEN DELETE WHEN MATCHED AND s.id > 58 THEN UPDATE SET role = 'old' WHEN MATCHED AND s.boss > 50 THEN DELETE;\n"
        "MERGE INTO teams t USING (SELECT 1 AS id) s ON s.id = t.id WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED BY SOURCE AND t.firm = 4 THEN DELETE;\n"
        "DELETE FROM team_staff WHERE id < 100;",
        {(1, "update-where", "team_staff", "role"): (6, False)},
    ),
    "delete that is forbidden": (
        "DELETE FROM shops WHERE id = 2;",
        {(1, "delete-cascades", "leases", None): (2, True)},
    ),
    "delete in a table that refers to itself": (
        "DELETE FROM people WHERE id >= 4;",
        {(1, "delete-where", "people", None): (5, False)},
    ),
    "delete with using": (
        "DELETE FROM goods g USING shelves s WHERE s.id = g.shelf_id AND s.note IS NULL;",
        {(1, "delete-where", "goods", None): (120, False)},
    ),
    "delete twice": (
        "DELETE FROM goods WHERE id <= 100;\nDELETE FROM goods WHERE id <= 150;",
        {(2, "delete-where", "goods", None): (50, False)},
    ),
    "delete with cte": (
        "WITH few AS (SELECT id FROM goods ORDER BY id LIMIT 7) DELETE FROM goods WHERE id IN (SELECT id FROM few);",
        {(1, "delete-where", "goods", None): (7, False)},
    ),
    "update": ("UPDATE shops SET code = 'c1';", {(1, "update-all", "shops", "code"): (17, False)}),
    "update that fills": (
        "UPDATE shops SET code = '' WHERE code IS NULL;",
        {(1, "update-where", "shops", "code"): (0, False)},
    ),
    "set not null": (
        "ALTER TABLE shops ALTER COLUMN code SET NOT NULL;",
        {(1, "set-not-null", "shops", "code"): (1, True)},
    ),
    "set not null after a delete": (
        "DELETE FROM shelves WHERE note IS NULL;\nALTER TABLE shelves ALTER COLUMN note SET NOT NULL;",
        {
            (1, "delete-where", "shelves", None): (30, False),
            (2, "set-not-null", "shelves", "note"): (0, False),
        },
    ),
    "set not null after an update": (
        "UPDATE shelves SET note = s.code FROM shops s WHERE s.id = shop_id AND note IS NULL;\nALTER TABLE shelves ALTER COLUMN note SET NOT NULL;",
        {(2, "set-not-null", "shelves", "note"): (3, True)},
    ),
    "set not null on a column of the same file": (
        "ALTER TABLE lone ADD COLUMN extra text;\nUPDATE lone SET extra = n WHERE id < 5;\nALTER TABLE lone ALTER COLUMN extra SET NOT NULL;",
        {(3, "set-not-null", "lone", "extra"): (5, True)},
    ),
    "a default fills it": (
        "ALTER TABLE lone ADD COLUMN extra text NOT NULL DEFAULT 'x';\nALTER TABLE lone ADD COLUMN other uuid DEFAULT gen_random_uuid();\nALTER TABLE lone ALTER COLUMN other SET NOT NULL;",
        {
            (3, "set-not-null", "lone", "other"): (0, False),
            (2, "table-rewrite", "lone", "other"): (0, False),
        },
    ),
    "a new column without a value": (
        "ALTER TABLE lone ADD COLUMN extra int NOT NULL;",
        {(1, "add-not-null-column", "lone", "extra"): (9, True)},
    ),
    "unique": (
        "CREATE UNIQUE INDEX ON shops (code);",
        {
            (1, "add-unique", "shops", "code"): (5, True),
            (1, "long-lock", "shops", None): (0, False),
        },
    ),
    "unique on an expression": (
        "CREATE UNIQUE INDEX ON lone (left(n, 1));",
        {(1, "add-unique", "lone", None): (2, True)},
    ),
    "unique where it is": (
        "CREATE UNIQUE INDEX ON shops (code) WHERE id < 10;",
        {(1, "add-unique", "shops", "code"): (0, False)},
    ),
    "primary key": (
        "ALTER TABLE shelves DROP CONSTRAINT shelves_pkey CASCADE, ADD PRIMARY KEY (note);",
        {(1, "set-not-null", "shelves", "note"): (30, True)},
    ),
    "foreign key": (
        "ALTER TABLE lone ADD FOREIGN KEY (id) REFERENCES leases (id);",
        {(1, "add-foreign-key", "lone", "id"): (5, True)},
    ),
    "foreign key after the parent's rows are gone": (
        "DELETE FROM leases WHERE id > 2;\nALTER TABLE lone ADD FOREIGN KEY (id) REFERENCES leases;",
        {(2, "add-foreign-key", "lone", "id"): (7, True)},
    ),
    "check": (
        "ALTER TABLE shops ADD CHECK (rent < 20);",
        {(1, "add-check", "shops", None): (5, True)},
    ),
    "a cast that refuses": (
        "ALTER TABLE lone ALTER n TYPE int USING n::int;",
        {(1, "type-change", "lone", "n"): (3, True)},
    ),
    "a number too large": (
        "ALTER TABLE lone ALTER big TYPE int;",
        {(1, "type-change", "lone", "big"): (7, True)},
    ),
    "a time of day lost": (
        "ALTER TABLE shops ALTER opened TYPE date;",
        {(1, "type-change", "shops", "opened"): (10, False)},
    ),
    "cents lost": (
        "ALTER TABLE shops ALTER rent TYPE numeric(10, 0);",
        {(1, "type-change", "shops", "rent"): (15, False)},
    ),
    "text too long": (
        "ALTER TABLE goods ALTER name TYPE varchar(6);",
        {(1, "type-change", "goods", "name"): (231, True)},
    ),
    "text cut off": (
        "ALTER TABLE goods ALTER name TYPE varchar(6) USING left(name, 6);",
        {(1, "type-change", "goods", "name"): (231, False)},
    ),
    "wider is no hazard": ("ALTER TABLE lone ALTER id TYPE bigint;", {}),
    "renamed and dropped": (
        "ALTER TABLE goods RENAME TO wares;\nALTER TABLE wares RENAME COLUMN name TO title;\nALTER TABLE wares DROP COLUMN title;\nDROP TABLE wares;",
        {
            (1, "rename-table", "goods", None): (0, False),
            (3, "drop-column", "wares", "title"): (240, False),
            (4, "drop-table", "wares", None): (240, False),
        },
    ),
    "copied, then dropped": (
        "CREATE TABLE kept (id int PRIMARY KEY, name text);\nINSERT INTO kept (id, name) SELECT id, name FROM goods WHERE id > 10;\n"
        "ALTER TABLE kept ALTER name SET NOT NULL;\nDELETE FROM kept WHERE id > 230;\nDROP TABLE goods;",
        {
            (4, "delete-where", "kept", None): (10, False),
            (5, "drop-table", "goods", None): (240, False),
        },
    ),
    "do block": (
        "DO $$ BEGIN\n  IF EXISTS (SELECT 1 FROM goods) THEN\n    DELETE FROM goods WHERE id > 200;\n  END IF;\nEND $$;",
        {(3, "delete-where", "goods", None): (40, False)},
    ),
    "the first of the search path that has the table": (
        "SET search_path = old, public;\nDELETE FROM shops;\nDELETE FROM goods WHERE id > 200;\n"
        "CREATE TABLE goods (id int);\nDELETE FROM goods;\nSELECT set_config('search_path', 'public', false);\nDELETE FROM goods;",
        {
            (2, "delete-all", "shops", None): (3, False),
            (3, "delete-where", "goods", None): (40, False),
            (5, "delete-all", "goods", None): (0, False),
            (7, "delete-all", "goods", None): (200, False),
        },
    ),
    "what hangs on a row of the same table": (
        "DELETE FROM folders WHERE id = 2;\nDELETE FROM folders WHERE id <= 3;",
        {
            (1, "delete-where", "folders", None): (1, False),
            (1, "delete-cascades", "folders", None): (6, False),
            (2, "delete-where", "folders", None): (2, False),
            (2, "delete-cascades", "folders", None): (6, False),
        },
    ),
    "heirs lose rows too": (
        "DELETE FROM assets WHERE id IN (1, 11, 12);\nUPDATE assets SET place = 'x' WHERE id < 3 OR id > 14;\nDELETE FROM ONLY assets;\n"
        "ALTER TABLE assets ALTER place SET NOT NULL;\nDELETE FROM lone WHERE id IN (SELECT id - 10 FROM assets);\nTRUNCATE assets;",
        {
            (1, "delete-where", "assets", None): (1, False),
            (1, "delete-where", "photos", None): (2, False),
            (2, "update-where", "photos", "place"): (2, False),
            (3, "delete-all", "assets", None): (4, False),
            (4, "set-not-null", "photos", "place"): (0, False),
            (5, "delete-where", "lone", None): (4, False),
            (6, "truncate", "photos", None): (4, False),
        },
    ),
    "a column of a table with heirs": (
        "TRUNCATE ONLY assets;\nALTER TABLE assets DROP COLUMN place;",
        {
            (1, "truncate", "assets", None): (5, False),
            (2, "drop-column", "photos", "place"): (6, False),
        },
    ),
    "heirs hold a table": ("DROP TABLE assets;", {(1, "drop-table", "assets", None): (5, True)}),
    "with cascade heirs go": (
        "DROP TABLE assets CASCADE;",
        {
            (1, "drop-table", "assets", None): (5, False),
            (1, "drop-cascade", "photos", None): (6, False),
        },
    ),
    "a function that is called": (
        "SELECT purge_twice();\nCREATE OR REPLACE FUNCTION purge() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  DELETE FROM leases; RETURN 1;\nEND $$;\n"
        "DO $$ DECLARE n int; BEGIN n := purge(); END $$;",
        {
            (1, "delete-all", "lone", None): (9, False),
            (1, "delete-where", "goods", None): (40, False),
            (6, "delete-all", "leases", None): (4, False),
        },
    ),
    "a function that the parser has read": (
        "SELECT lay_off() FROM lone WHERE id < 3;",
        {
            (1, "delete-where", "people", None): (5, False),
            (1, "delete-where", "leases", None): (None, False),
        },
    ),
    "a function stands on it": (
        "DROP TABLE people;",
        {(1, "drop-table", "people", None): (8, True)},
    ),
    "the function is dropped before": (
        "DROP FUNCTION lay_off();\nDROP TABLE people;",
        {(2, "drop-table", "people", None): (8, False)},
    ),
    "loops and returned queries": (
        "DO $$ DECLARE r record; BEGIN\n  FOR r IN DELETE FROM leases RETURNING * LOOP END LOOP;\nEND $$;\n"
        "CREATE FUNCTION f() RETURNS SETOF lone LANGUAGE plpgsql AS 'BEGIN RETURN QUERY DELETE FROM lone WHERE id > 3 RETURNING *; END';\nSELECT f();",
        {
            (2, "delete-all", "leases", None): (4, False),
            (5, "delete-where", "lone", None): (6, False),
        },
    ),
    "a view stands on it": ("DROP TABLE dishes;", {(1, "drop-table", "dishes", None): (9, True)}),
    "a view stands on the column": (
        "ALTER TABLE dishes DROP COLUMN tag;",
        {(1, "drop-column", "dishes", "tag"): (8, True)},
    ),
    "no view stands on the column": (
        "ALTER TABLE dishes DROP COLUMN costs;",
        {(1, "drop-column", "dishes", "costs"): (9, False)},
    ),
    "a view refers to what changes": (
        "ALTER TABLE dishes ALTER tag TYPE text;",
        {(1, "type-change", "dishes", "tag"): (0, True)},
    ),
    "a view stands on it under another name": (
        "ALTER TABLE dishes RENAME COLUMN tag TO label;\nALTER TABLE dishes RENAME TO meals;\nCREATE TABLE dishes (label text);\n"
        "ALTER TABLE dishes DROP COLUMN label;\nALTER TABLE meals DROP COLUMN label;",
        {
            (4, "drop-column", "dishes", "label"): (0, False),
            (5, "drop-column", "meals", "label"): (8, True),
        },
    ),
    "the views and the rule are dropped before": (
        "DROP VIEW menu CASCADE;\nDROP RULE follow ON tills;\nDROP TABLE dishes;",
        {(3, "drop-table", "dishes", None): (9, False)},
    ),
    "the rule's table is dropped before": (
        "DROP VIEW menu CASCADE;\nDROP TABLE tills;\nDROP TABLE dishes;",
        {
            (2, "drop-table", "tills", None): (1, False),
            (3, "drop-table", "dishes", None): (9, False),
        },
    ),
    "an extension's type": (
        "DROP EXTENSION citext;",
        {(1, "drop-cascade", "dishes", "tag"): (8, True)},
    ),
    "an extension with cascade": (
        "DROP EXTENSION citext CASCADE;",
        {(1, "drop-cascade", "dishes", "tag"): (8, False)},
    ),
    "what a role owns": ("DROP OWNED BY keeper;", {(1, "drop-cascade", "diary", None): (4, False)}),
    "a domain that demands more": (
        "ALTER DOMAIN price ADD CHECK (value < 7);",
        {(1, "add-check", "dishes", "costs"): (3, True)},
    ),
    "a domain without NULL": (
        "ALTER DOMAIN price SET NOT NULL;",
        {(1, "set-not-null", "dishes", "costs"): (0, False)},
    ),
    "validate what live has": (
        "ALTER TABLE dishes VALIDATE CONSTRAINT cheap;",
        {(1, "add-check", "dishes", None): (2, True)},
    ),
    "validate what holds": (
        "ALTER TABLE dishes VALIDATE CONSTRAINT dear;",
        {(1, "add-check", "dishes", None): (0, False)},
    ),
    "validate what the file adds": (
        "ALTER TABLE lone ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES leases NOT VALID, ADD CONSTRAINT one CHECK (id > 2) NOT VALID;\n"
        "DELETE FROM lone WHERE id = 1;\nALTER TABLE lone VALIDATE CONSTRAINT one;\nALTER TABLE lone VALIDATE CONSTRAINT fk;",
        {
            (3, "add-check", "lone", None): (1, True),
            (4, "add-foreign-key", "lone", "id"): (5, True),
        },
    ),
    "validate a NOT NULL": (
        "ALTER TABLE shops ADD CONSTRAINT known NOT NULL code NOT VALID;\nALTER TABLE shops VALIDATE CONSTRAINT known;",
        {(2, "add-check", "shops", None): (1, True)},
    ),
    "explain analyze runs it": (
        "EXPLAIN DELETE FROM goods;\nEXPLAIN (ANALYZE, COSTS off) DELETE FROM goods WHERE id > 200;\nEXPLAIN (ANALYZE off) DELETE FROM goods;\nDELETE FROM goods;",
        {
            (1, "delete-all", "goods", None): None,
            (2, "delete-where", "goods", None): (40, False),
            (3, "delete-all", "goods", None): None,
            (4, "delete-all", "goods", None): (200, False),
        },
    ),
    "an ALTER TABLE in another order": (
        "ALTER TABLE lone ALTER extra SET NOT NULL, ADD COLUMN extra int DEFAULT 1;\n"
        "ALTER TABLE shops ADD COLUMN code int DEFAULT 0, DROP COLUMN code;\nALTER TABLE shops ALTER code SET NOT NULL;",
        {
            (1, "set-not-null", "lone", "extra"): (0, False),
            (2, "drop-column", "shops", "code"): (19, False),
            (3, "set-not-null", "shops", "code"): (0, False),
        },
    ),
    "a cast without a way back": (
        "ALTER TABLE lone ALTER big TYPE text USING 'no ' || big;",
        {(1, "type-change", "lone", "big"): (None, False)},
    ),
    "a cast that fails both ways": (
        "ALTER TABLE lone ALTER n TYPE date USING (n || '.')::date;",
        {(1, "type-change", "lone", "n"): (9, True)},
    ),
    "what the file made is not missed": (
        "CREATE TEMP TABLE few AS SELECT id FROM goods;\nDELETE FROM few WHERE id > 7;\nDROP TABLE few;",
        {
            (2, "delete-where", "few", None): (233, False),
            (3, "drop-table", "few", None): (7, False),
        },
    ),
    "another takes its place": (
        "CREATE TABLE next (id int PRIMARY KEY, name text);\nDROP TABLE goods;\nALTER TABLE next RENAME TO goods;\n"
        "INSERT INTO goods SELECT id, n FROM lone;",
        {
            (2, "drop-table", "goods", None): (240, False),
            (3, "drop-and-create", "goods", None): (231, False),
        },
    ),
    "triggers and rules": (
        "DELETE FROM notes WHERE id > 6;\nUPDATE notes SET seen = NULL;\nALTER TABLE notes DISABLE TRIGGER forget;\nDELETE FROM notes WHERE id > 3;\nDROP TRIGGER touch ON notes;",
        {
            (1, "side-effect", "log", None): (None, False),
            (2, "side-effect", "log", None): None,
            (4, "side-effect", "log", None): None,
        },
    ),
}


@pytest.fixture(scope="module")
def template(scratch: Scratch) -> str:
    scratch.create("preflight")
    scratch.run("preflight", BEFORE)
    return "preflight"


def fly(path: Path, dsn: str, **how: Any) -> Flight:
    with LiveSource(dsn) as live:
        return preflight(pending(read_folder(path), live)[0], live, **how)


@pytest.mark.parametrize("name", CASES)
def test_it_foretells_what_postgresql_does(
    name: str, scratch: Scratch, template: str, tmp_path: Path
) -> None:
    text, wanted = CASES[name]
    path = tmp_path / "migration.sql"
    path.write_text(text)
    flight = fly(path, scratch.dsn(template))
    found = {
        (
            w.hazard.line,
            w.hazard.code,
            w.hazard.table.table if w.hazard.table else None,
            w.hazard.column,
        ): (w.rows, w.fails)
        for w in flight.hazards
    }
    assert {k: found.get(k) for k in wanted} == wanted, (found, flight.notes)
    if not wanted:
        assert not [w for w in flight.hazards if w.hazard.destroys or w.fails]
    took, failed = what_happens(scratch.dsn(template), read_folder(path).migrations[0])
    assert failed == flight.fails
    foretold = {line: [0, 0] for line in took}
    for w in flight.hazards:
        line = max((n for n in took if n <= w.hazard.line), default=0)
        if w.rows is None and w.destroys:
            took.pop(line)
        # What a new type leaves of a value cannot be told by looking at texts.
        elif w.destroys and line and w.hazard.code != "type-change":
            foretold[line][w.hazard.column is not None] += w.rows or 0
    assert {line: foretold[line] for line in took} == took


def what_happens(dsn: str, migration: Migration) -> tuple[dict[int, list[int]], bool]:
    """Run a migration and take it back: by line, how many rows and how many other values went; and whether it failed."""
    took: dict[int, list[int]] = {}
    with psycopg.connect(dsn) as connection:
        before = held(connection)
        for statement in migration.statements:
            try:
                connection.execute(statement.text.encode())
            except psycopg.Error:
                connection.rollback()
                return took, True
            after = held(connection)
            gone = took.setdefault(statement.line, [0, 0])
            for table, rows in before.items():
                there = after.get(table, {})
                gone[0] += len(rows.keys() - there.keys())
                gone[1] += sum(
                    is_gone(v, there[key].get(c))
                    for key in rows.keys() & there.keys()
                    for c, v in rows[key].items()
                )
            before = {table: after[table] for table in before if table in after}
        connection.rollback()
    return took, False


Value = tuple[str, str | None]


def is_gone(before: Value, after: Value | None) -> bool:
    return before[1] is not None and (
        after is None or (before[0] == after[0] and before[1] != after[1])
    )


def held(connection: psycopg.Connection) -> dict[int, dict[str, dict[int, Value]]]:
    """What tables hold: by table, first column and column, a value and its type."""
    found = {}
    listed = connection.execute(
        "SELECT c.oid, c.oid::regclass::text, array_agg(ROW(a.attnum, a.attname, format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum) "
        "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
        "WHERE c.relkind = 'r' AND c.relnamespace IN ('public'::regnamespace, 'old'::regnamespace) GROUP BY c.oid"
    ).fetchall()
    for oid, name, columns in listed:
        texts = ", ".join(f'"{column}"::text' for _, column, _ in columns)
        rows = connection.execute(f"SELECT {texts} FROM ONLY {name}".encode()).fetchall()
        found[oid] = {
            row[0]: {int(n): (kind, v) for (n, _, kind), v in zip(columns, row, strict=True)}
            for row in rows
        }
    return found


# migration: (whether it would destroy something, whether something that may could not be counted)
OPEN = {
    # Whether a trigger takes the obstacle first, or what else, only running it tells.
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM leases WHERE shop_id = OLD.id; RETURN OLD; END';\n"
    "CREATE TRIGGER t BEFORE DELETE ON shops FOR EACH ROW EXECUTE FUNCTION f();\nDELETE FROM shops WHERE id = 2;": (
        True,
        True,
    ),
    "INSERT INTO notes VALUES (99);": (False, False),  # its trigger only touches the row
    "DELETE FROM notes WHERE id > 99;": (False, True),  # its trigger deletes elsewhere
    "DO $$ BEGIN IF false THEN DELETE FROM notes WHERE id > 99; END IF; END $$;": (False, True),
    "ALTER TABLE notes DISABLE TRIGGER ALL;\nDELETE FROM notes WHERE id > 99;\nALTER TABLE notes ENABLE TRIGGER ALL;": (
        False,
        False,
    ),
    "DROP TRIGGER forget ON notes;\nDELETE FROM notes WHERE id > 99;": (False, False),
    "DO $$ BEGIN EXECUTE format('DROP TABLE %I', 'go' || 'ods'); END $$;": (False, True),
    "DO $$ BEGIN EXECUTE 'CREATE INDEX ON goods (name)'; END $$;": (False, False),
    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DROP TABLE ' || 'goods'; END $$;": (
        False,
        False,
    ),
    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM goods; END $$;\nSELECT f();": (
        True,
        False,
    ),
    "CREATE FUNCTION f() RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'DROP TABLE ' || 'goods'; END $$;\nSELECT f();": (
        False,
        True,
    ),
    "CREATE FUNCTION f() RETURNS int LANGUAGE plperl AS $$ return 1 $$;\nSELECT f();": (
        False,
        True,
    ),
    "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN purge(); END $$;": (
        False,
        False,
    ),
    "DO $$ BEGIN IF abs(x := purge()) > 1 THEN NULL; END IF; END $$;": (True, False),
    "PREPARE p (int) AS DELETE FROM goods WHERE id > $1;": (False, False),
    "PREPARE p (int) AS DELETE FROM goods WHERE id > $1;\nEXECUTE p (3);": (False, True),
    "DROP DATABASE elsewhere;": (False, True),
    "DROP OWNED BY CURRENT_USER;": (False, True),
    "MERGE INTO notes n USING lone l ON l.id = n.id WHEN MATCHED THEN DELETE;": (True, True),
    "CREATE TABLE t AS SELECT * FROM goods;\nDELETE FROM t;": (False, False),
    "DO $$ BEGIN DROP VIEW menu CASCADE; DROP RULE follow ON tills; END $$;\nDROP TABLE dishes;": (
        True,
        False,
    ),
    "ALTER VIEW menu RENAME TO card;\nDROP VIEW card CASCADE;\nDROP RULE follow ON tills;\nDROP TABLE dishes;": (
        True,
        False,
    ),
    "ALTER TABLE notes RENAME TO remarks;\nDELETE FROM remarks WHERE id > 99;": (False, True),
    "DROP EXTENSION citext;": (False, False),  # fails, and so takes nothing
    "ALTER TABLE lone ALTER big TYPE text USING 'no ' || big;": (False, True),
}


@pytest.mark.parametrize("text", OPEN)
def test_what_would_be_destroyed_is_told_from_what_cannot_be_counted(
    text: str, scratch: Scratch, template: str, tmp_path: Path
) -> None:
    path = tmp_path / "migration.sql"
    path.write_text(text)
    flight = fly(path, scratch.dsn(template))
    assert (flight.destroys, flight.uncounted) == OPEN[text], plain_flight(flight)


def test_a_rehearsal_settles_what_could_not_be_counted(
    scratch: Scratch, template: str, tmp_path: Path
) -> None:
    path = tmp_path / "migration.sql"
    path.write_text("DELETE FROM notes WHERE id > 99;\nDELETE FROM tills WHERE id > 99;")
    counted = fly(path, scratch.dsn(template))
    open_ = [
        (w.hazard.line, w.hazard.code, str(w.hazard.table), level(w))
        for w in counted.hazards
        if w.rows is None
    ]
    assert open_ == [(1, "side-effect", "log", "warning"), (2, "side-effect", "dishes", "warning")]
    assert (
        counted.hazards[1].says
        == "sets off trigger forget of notes, which deletes rows (log); what that takes was not counted"
    )
    rehearsed = fly(path, scratch.dsn(template), rehearse=True)
    assert (counted.uncounted, rehearsed.uncounted, rehearsed.destroys) == (True, False, False)


def test_a_rehearsal_runs_it_on_a_copy(
    scratch: Scratch, database: Callable[..., str], template: str, tmp_path: Path
) -> None:
    path = tmp_path / "migration.sql"
    path.write_text(
        "DELETE FROM shops WHERE NOT open;\nALTER TABLE goods DROP COLUMN name;\nALTER TABLE lone ALTER n TYPE int USING n::int;"
    )
    flight = fly(path, scratch.dsn(template), rehearse=True)
    assert flight.rehearsal is not None
    assert [r.took for r in flight.rehearsal] == [
        {"shops": 5, "shelves": 15, "goods": 60, "goods.name": 60},
        {"goods.name": 180},
        {},
    ]
    assert "invalid input syntax" in (flight.rehearsal[2].error or "")
    assert scratch.run(template, "SELECT count(*) FROM shops") == "20\n"


def test_only_pending_migrations_of_a_folder_are_looked_at(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    prisma = Prisma(tmp_path / "migrations")
    live = database(
        Prisma.TABLE
        + prisma.ran("1_a", "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1), (2);")
    )
    prisma.write("2_b", "DROP TABLE a;")
    flight = fly(prisma.folder, scratch.dsn(live))
    assert flight.migrations == ("2_b",)
    assert [(w.hazard.code, w.rows) for w in flight.hazards] == [("drop-table", 2)]


def test_a_history_that_names_none_of_the_files_is_said(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "1.sql").write_text("SELECT 1;")
    name = database(
        "CREATE TABLE migrations (id serial, migration text, batch int); INSERT INTO migrations (migration, batch) VALUES ('a', 1)"
    )
    with LiveSource(scratch.dsn(name)) as live:
        chosen, notes = pending(read_folder(tmp_path), live)
    assert [m.name for m in chosen] == ["1"]
    assert notes == [
        "Live's migration history (Laravel) names no file of the folder: every migration of it is looked at."
    ]


def test_annotations_say_how_many_rows(scratch: Scratch, template: str, tmp_path: Path) -> None:
    path = tmp_path / "migration.sql"
    path.write_text("\n\nDROP TABLE goods;\nCREATE INDEX ON lone (n);")
    flight = fly(path, scratch.dsn(template))
    lines = github(flight).splitlines()
    assert lines[0] == f"::error file={path},line=3,title=drop-table::drops 240 rows of goods"
    assert lines[1].startswith(f"::notice file={path},line=4,title=long-lock::lone: blocks")
    run = sarif(flight, "1")["runs"][0]
    assert [r["ruleId"] for r in run["results"]] == ["drop-table", "long-lock"]
    assert run["results"][0]["level"] == level(flight.hazards[0]) == "error"
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 3}
    assert json.loads(json.dumps(plain_flight(flight)))["hazards"][0]["table_bytes"] > 0


def test_what_cannot_be_read_is_an_error_and_what_cannot_be_counted_is_said(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    live = database(
        "CREATE TABLE secret (id int); CREATE TABLE t (id int); INSERT INTO t VALUES (1);"
    )
    scratch.run(
        live,
        "DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN END $$; GRANT SELECT ON t TO reader;",
    )
    dsn = scratch.dsn(live).replace("postgres@", "reader@")
    path = tmp_path / "migration.sql"
    path.write_text("DELETE FROM secret;")
    with pytest.raises(LiveError, match="permission denied"):
        fly(path, dsn)
    path.write_text("DELETE FROM t WHERE unknown_function(id);")
    flight = fly(path, dsn)
    assert flight.hazards[0].rows is None
    assert flight.uncounted
    assert "unknown_function" in flight.notes[0]


def test_nothing_is_written_to_live(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    live = database(
        "CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE FUNCTION eat() RETURNS boolean LANGUAGE sql AS 'DELETE FROM t RETURNING true';"
    )
    path = tmp_path / "migration.sql"
    path.write_text("DELETE FROM t WHERE eat();")
    flight = fly(path, scratch.dsn(live))
    assert flight.hazards[0].rows is None
    assert "read-only transaction" in flight.notes[0]
    assert scratch.run(live, "SELECT count(*) FROM t") == "1\n"


def test_a_rehearsal_has_triggers_checks_and_views(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    live = database(
        "CREATE TABLE t (id int PRIMARY KEY, n int CHECK (n > 0)); CREATE TABLE log (id int PRIMARY KEY); CREATE VIEW v AS SELECT * FROM t;"
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM log WHERE id = OLD.id; RETURN OLD; END';"
        "CREATE TRIGGER f AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION f();"
        "INSERT INTO t SELECT i, i FROM generate_series(1, 9) i; INSERT INTO log SELECT generate_series(1, 9);"
    )
    path = tmp_path / "migration.sql"
    path.write_text(
        "DELETE FROM t WHERE id < 4;\nUPDATE t SET n = -n;\nDROP TABLE t;\nDELETE FROM log WHERE id > 8;"
    )
    flight = fly(path, scratch.dsn(live), rehearse=True)
    assert flight.notes == ()
    assert flight.rehearsal is not None
    assert [r.took for r in flight.rehearsal] == [{"t": 3, "log": 3}, {}, {}, {"log": 1}]
    assert [
        "violates check" in (r.error or "") or "other objects depend" in (r.error or "")
        for r in flight.rehearsal
    ] == [
        False,
        True,
        True,
        False,
    ]
