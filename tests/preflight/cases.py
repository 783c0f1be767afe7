"""Migrations on the database of `shops.sql`, and what is foretold of each."""

from __future__ import annotations

from pathlib import Path

BEFORE = Path(__file__).with_name("shops.sql").read_text(encoding="utf-8")

# By name: the migration, and by (line, hazard, table, column) the (rows, fails) that must be
# among the answers, or None for what must not.
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
        "ALTER TABLE shelves DROP CONSTRAINT shelves_shop_id_fkey;\n"
        "ALTER TABLE leases DROP COLUMN shop_id;\n"
        "ALTER TABLE signs DROP CONSTRAINT signs_shop_id_fkey;\nDROP TABLE shops;",
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
            (1, "truncate-cascade", "goods", None): (240, False),
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
        "DELETE FROM firms WHERE id = 2;\n"
        "CREATE TABLE branches (id bigserial PRIMARY KEY, firm int REFERENCES "
        "firms);\n"
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
        "ALTER TABLE lone RENAME COLUMN id TO old_id;\n"
        "ALTER TABLE lone ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid();\n"
        "CREATE TABLE lone_notes (note int REFERENCES notes, lone uuid NOT NULL);\n"
        "INSERT INTO lone_notes SELECT n.id, l.id FROM notes n JOIN lone l ON l.old_id = n.id;\n"
        "ALTER TABLE lone DROP CONSTRAINT lone_pkey;\nALTER TABLE lone ADD PRIMARY KEY (id);\n"
        "ALTER TABLE lone_notes ADD FOREIGN KEY (lone) REFERENCES lone;\n"
        "ALTER TABLE lone ADD COLUMN row serial UNIQUE;",
        {
            (2, "delete-cascades", "goods", None): (12, False),
            (8, "add-unique", "lone", "id"): (0, False),
            (9, "add-foreign-key", "lone_notes", "lone"): (0, False),
        },
    ),
    "what is passed over, and what is filled in": (
        "ALTER TABLE IF EXISTS nowhere DROP COLUMN x, ALTER COLUMN y SET NOT NULL;\n"
        "ALTER TABLE IF EXISTS lone DROP COLUMN IF EXISTS nothing;\n"
        "INSERT INTO shops SELECT id + 100, 'new', true, NULL, NULL, '2026-02-01' "
        "FROM shops;\nDELETE FROM shops WHERE id > 100;\n"
        "DELETE FROM shops WHERE opened > '2026-01-05' AND NOT open;",
        {
            (1, "drop-column", "nowhere", "x"): (0, False),
            (5, "delete-where", "shops", None): (3, False),
        },
    ),
    "rows that go into an archive": (
        "CREATE TABLE old_goods (LIKE goods INCLUDING ALL);\n"
        "WITH gone AS (DELETE FROM goods WHERE shelf_id <= 30 RETURNING *) INSERT "
        "INTO old_goods SELECT * FROM gone;\n"
        "DELETE FROM shelves WHERE id <= 30;\n"
        "WITH kept AS (INSERT INTO old_goods (id, name) SELECT id, name FROM goods "
        "WHERE id % 60 = 40 RETURNING id) "
        "DELETE FROM goods WHERE id IN (SELECT id FROM kept);\n"
        "WITH gone AS (DELETE FROM leases USING shops s WHERE s.id = shop_id "
        "RETURNING shop_id) DELETE FROM signs WHERE shop_id IN (SELECT * FROM "
        "gone);\n"
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
        "MERGE INTO team_staff t USING staff s ON s.id = t.person WHEN MATCHED AND "
        "s.id < 3 THEN DO NOTHING\n"
        "  WHEN MATCHED AND s.id < 5 THEN DELETE WHEN MATCHED AND s.id > 58 THEN "
        "UPDATE SET role = 'old' WHEN MATCHED AND s.boss > 50 THEN DELETE;\n"
        "MERGE INTO teams t USING (SELECT 1 AS id) s ON s.id = t.id WHEN MATCHED "
        "THEN DO NOTHING WHEN NOT MATCHED BY SOURCE AND t.firm = 4 THEN DELETE;\n"
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
        "WITH few AS (SELECT id FROM goods ORDER BY id LIMIT 7) DELETE FROM goods "
        "WHERE id IN (SELECT id FROM few);",
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
        "DELETE FROM shelves WHERE note IS NULL;\n"
        "ALTER TABLE shelves ALTER COLUMN note SET NOT NULL;",
        {
            (1, "delete-where", "shelves", None): (30, False),
            (2, "set-not-null", "shelves", "note"): (0, False),
        },
    ),
    "set not null after an update": (
        "UPDATE shelves SET note = s.code FROM shops s WHERE s.id = shop_id AND note "
        "IS NULL;\nALTER TABLE shelves ALTER COLUMN note SET NOT NULL;",
        {(2, "set-not-null", "shelves", "note"): (3, True)},
    ),
    "set not null on a column of the same file": (
        "ALTER TABLE lone ADD COLUMN extra text;\n"
        "UPDATE lone SET extra = n WHERE id < 5;\n"
        "ALTER TABLE lone ALTER COLUMN extra SET NOT NULL;",
        {(3, "set-not-null", "lone", "extra"): (5, True)},
    ),
    "a default fills it": (
        "ALTER TABLE lone ADD COLUMN extra text NOT NULL DEFAULT 'x';\n"
        "ALTER TABLE lone ADD COLUMN other uuid DEFAULT gen_random_uuid();\n"
        "ALTER TABLE lone ALTER COLUMN other SET NOT NULL;",
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
        "DELETE FROM leases WHERE id > 2;\n"
        "ALTER TABLE lone ADD FOREIGN KEY (id) REFERENCES leases;",
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
        "ALTER TABLE goods RENAME TO wares;\n"
        "ALTER TABLE wares RENAME COLUMN name TO title;\n"
        "ALTER TABLE wares DROP COLUMN title;\nDROP TABLE wares;",
        {
            (1, "rename-table", "goods", None): (0, False),
            (3, "drop-column", "wares", "title"): (240, False),
            (4, "drop-table", "wares", None): (240, False),
        },
    ),
    "copied, then dropped": (
        "CREATE TABLE kept (id int PRIMARY KEY, name text);\n"
        "INSERT INTO kept (id, name) SELECT id, name FROM goods WHERE id > 10;\n"
        "ALTER TABLE kept ALTER name SET NOT NULL;\n"
        "DELETE FROM kept WHERE id > 230;\nDROP TABLE goods;",
        {
            (4, "delete-where", "kept", None): (10, False),
            (5, "drop-table", "goods", None): (240, False),
        },
    ),
    "do block": (
        "DO $$ BEGIN\n  IF EXISTS (SELECT 1 FROM goods) THEN\n"
        "    DELETE FROM goods WHERE id > 200;\n  END IF;\nEND $$;",
        {(3, "delete-where", "goods", None): (40, False)},
    ),
    "the first of the search path that has the table": (
        "SET search_path = old, public;\nDELETE FROM shops;\nDELETE FROM goods WHERE id > 200;\n"
        "CREATE TABLE goods (id int);\nDELETE FROM goods;\n"
        "SELECT set_config('search_path', 'public', false);\nDELETE FROM goods;",
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
        "DELETE FROM assets WHERE id IN (1, 11, 12);\n"
        "UPDATE assets SET place = 'x' WHERE id < 3 OR id > 14;\n"
        "DELETE FROM ONLY assets;\n"
        "ALTER TABLE assets ALTER place SET NOT NULL;\n"
        "DELETE FROM lone WHERE id IN (SELECT id - 10 FROM assets);\nTRUNCATE assets;",
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
        "SELECT purge_twice();\n"
        "CREATE OR REPLACE FUNCTION purge() RETURNS int LANGUAGE plpgsql AS $$\n"
        "BEGIN\n  DELETE FROM leases; RETURN 1;\nEND $$;\n"
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
        "DO $$ DECLARE r record; BEGIN\n"
        "  FOR r IN DELETE FROM leases RETURNING * LOOP END LOOP;\nEND $$;\n"
        "CREATE FUNCTION f() RETURNS SETOF lone LANGUAGE plpgsql AS 'BEGIN RETURN "
        "QUERY DELETE FROM lone WHERE id > 3 RETURNING *; END';\nSELECT f();",
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
        "ALTER TABLE dishes RENAME COLUMN tag TO label;\n"
        "ALTER TABLE dishes RENAME TO meals;\nCREATE TABLE dishes (label text);\n"
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
        "ALTER TABLE lone ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES leases NOT "
        "VALID, ADD CONSTRAINT one CHECK (id > 2) NOT VALID;\n"
        "DELETE FROM lone WHERE id = 1;\nALTER TABLE lone VALIDATE CONSTRAINT one;\n"
        "ALTER TABLE lone VALIDATE CONSTRAINT fk;",
        {
            (3, "add-check", "lone", None): (1, True),
            (4, "add-foreign-key", "lone", "id"): (5, True),
        },
    ),
    "validate a NOT NULL": (
        "ALTER TABLE shops ADD CONSTRAINT known NOT NULL code NOT VALID;\n"
        "ALTER TABLE shops VALIDATE CONSTRAINT known;",
        {(2, "add-check", "shops", None): (1, True)},
    ),
    "explain analyze runs it": (
        "EXPLAIN DELETE FROM goods;\n"
        "EXPLAIN (ANALYZE, COSTS off) DELETE FROM goods WHERE id > 200;\n"
        "EXPLAIN (ANALYZE off) DELETE FROM goods;\nDELETE FROM goods;",
        {
            (1, "delete-all", "goods", None): None,
            (2, "delete-where", "goods", None): (40, False),
            (3, "delete-all", "goods", None): None,
            (4, "delete-all", "goods", None): (200, False),
        },
    ),
    "an ALTER TABLE in another order": (
        "ALTER TABLE lone ALTER extra SET NOT NULL, ADD COLUMN extra int DEFAULT 1;\n"
        "ALTER TABLE shops ADD COLUMN code int DEFAULT 0, DROP COLUMN code;\n"
        "ALTER TABLE shops ALTER code SET NOT NULL;",
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
        "CREATE TEMP TABLE few AS SELECT id FROM goods;\n"
        "DELETE FROM few WHERE id > 7;\nDROP TABLE few;",
        {
            (2, "delete-where", "few", None): (233, False),
            (3, "drop-table", "few", None): (7, False),
        },
    ),
    "another takes its place": (
        "CREATE TABLE next (id int PRIMARY KEY, name text);\nDROP TABLE goods;\n"
        "ALTER TABLE next RENAME TO goods;\n"
        "INSERT INTO goods SELECT id, n FROM lone;",
        {
            (2, "drop-table", "goods", None): (240, False),
            (3, "drop-and-create", "goods", None): (231, False),
        },
    ),
    "triggers and rules": (
        "DELETE FROM notes WHERE id > 6;\nUPDATE notes SET seen = NULL;\n"
        "ALTER TABLE notes DISABLE TRIGGER forget;\nDELETE FROM notes WHERE id > 3;\n"
        "DROP TRIGGER touch ON notes;",
        {
            (1, "side-effect", "log", None): (None, False),
            (2, "side-effect", "log", None): None,
            (4, "side-effect", "log", None): None,
        },
    ),
}
