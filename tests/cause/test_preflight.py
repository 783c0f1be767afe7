"""Preflight: counts on a real database, and whether PostgreSQL then does what was foretold."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forensics.cause.preflight import Flight, github, level, pending, plain_flight, preflight, sarif
from forensics.errors import LiveError, ScratchError
from forensics.evidence.live import LiveSource
from forensics.evidence.migrations import read_folder
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
INSERT INTO lone SELECT i, CASE i % 3 WHEN 0 THEN 'x' || i ELSE i::text END, i * 1000000000::bigint FROM generate_series(1, 9) i;
"""

# name: (migration, {(line, hazard, table, column): (rows, fails)} that must be among the answers)
Wanted = dict[tuple[int, str, str | None, str | None], tuple[int | None, bool]]
CASES: dict[str, tuple[str, Wanted]] = {
    "drop table": ("DROP TABLE goods;", {(1, "drop-table", "goods", None): (240, False)}),
    "drop a table that others refer to": ("DROP TABLE shops;", {(1, "drop-table", "shops", None): (20, True)}),
    "with cascade it goes": (
        "DROP TABLE shops CASCADE;",
        {(1, "drop-table", "shops", None): (20, False), (1, "drop-cascade", "shops", None): (0, False)},
    ),
    "with its referrers it goes": (
        "DROP TABLE goods; DROP TABLE shelves, leases, signs, shops;",
        {(1, "drop-table", "shops", None): (20, False), (1, "drop-table", "shelves", None): (60, False)},
    ),
    "after the foreign keys it goes": (
        "ALTER TABLE shelves DROP CONSTRAINT shelves_shop_id_fkey;\nALTER TABLE leases DROP COLUMN shop_id;\nALTER TABLE signs DROP CONSTRAINT signs_shop_id_fkey;\nDROP TABLE shops;",
        {(4, "drop-table", "shops", None): (20, False), (2, "drop-column", "leases", "shop_id"): (3, False)},
    ),
    "if exists": ("DROP TABLE IF EXISTS absent;", {(1, "drop-table", "absent", None): (0, False)}),
    "absent": ("DROP TABLE absent;", {(1, "drop-table", "absent", None): (0, True)}),
    "drop column": ("ALTER TABLE shops DROP COLUMN code;", {(1, "drop-column", "shops", "code"): (19, False)}),
    "drop column that is referred to": ("ALTER TABLE shops DROP COLUMN id;", {(1, "drop-column", "shops", "id"): (20, True)}),
    "drop type": ("DROP TYPE mood;", {(1, "drop-type", "shops", "feels"): (13, True)}),
    "drop type cascade": ("DROP TYPE mood CASCADE;", {(1, "drop-type", "shops", "feels"): (13, False)}),
    "truncate": ("TRUNCATE goods;", {(1, "truncate", "goods", None): (240, False)}),
    "truncate referred": ("TRUNCATE shops;", {(1, "truncate", "shops", None): (20, True)}),
    "truncate cascade": (
        "TRUNCATE shelves CASCADE;",
        {(1, "truncate", "shelves", None): (60, False), (1, "drop-cascade", "goods", None): (240, False)},
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
    "delete that is forbidden": ("DELETE FROM shops WHERE id = 2;", {(1, "delete-cascades", "leases", None): (2, True)}),
    "delete in a table that refers to itself": ("DELETE FROM people WHERE id >= 4;", {(1, "delete-where", "people", None): (5, False)}),
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
    "update that fills": ("UPDATE shops SET code = '' WHERE code IS NULL;", {(1, "update-where", "shops", "code"): (0, False)}),
    "set not null": ("ALTER TABLE shops ALTER COLUMN code SET NOT NULL;", {(1, "set-not-null", "shops", "code"): (1, True)}),
    "set not null after a delete": (
        "DELETE FROM shelves WHERE note IS NULL;\nALTER TABLE shelves ALTER COLUMN note SET NOT NULL;",
        {(1, "delete-where", "shelves", None): (30, False), (2, "set-not-null", "shelves", "note"): (0, False)},
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
        {(3, "set-not-null", "lone", "other"): (0, False), (2, "table-rewrite", "lone", "other"): (0, False)},
    ),
    "a new column without a value": (
        "ALTER TABLE lone ADD COLUMN extra int NOT NULL;",
        {(1, "add-not-null-column", "lone", "extra"): (9, True)},
    ),
    "unique": (
        "CREATE UNIQUE INDEX ON shops (code);",
        {(1, "add-unique", "shops", "code"): (5, True), (1, "long-lock", "shops", None): (0, False)},
    ),
    "unique on an expression": ("CREATE UNIQUE INDEX ON lone (left(n, 1));", {(1, "add-unique", "lone", None): (2, True)}),
    "unique where it is": ("CREATE UNIQUE INDEX ON shops (code) WHERE id < 10;", {(1, "add-unique", "shops", "code"): (0, False)}),
    "primary key": (
        "ALTER TABLE shelves DROP CONSTRAINT shelves_pkey CASCADE, ADD PRIMARY KEY (note);",
        {(1, "set-not-null", "shelves", "note"): (30, True)},
    ),
    "foreign key": ("ALTER TABLE lone ADD FOREIGN KEY (id) REFERENCES leases (id);", {(1, "add-foreign-key", "lone", "id"): (5, True)}),
    "foreign key after the parent's rows are gone": (
        "DELETE FROM leases WHERE id > 2;\nALTER TABLE lone ADD FOREIGN KEY (id) REFERENCES leases;",
        {(2, "add-foreign-key", "lone", "id"): (7, True)},
    ),
    "check": ("ALTER TABLE shops ADD CHECK (rent < 20);", {(1, "add-check", "shops", None): (5, True)}),
    "a cast that refuses": ("ALTER TABLE lone ALTER n TYPE int USING n::int;", {(1, "type-change", "lone", "n"): (3, True)}),
    "a number too large": ("ALTER TABLE lone ALTER big TYPE int;", {(1, "type-change", "lone", "big"): (7, True)}),
    "a time of day lost": ("ALTER TABLE shops ALTER opened TYPE date;", {(1, "type-change", "shops", "opened"): (10, False)}),
    "cents lost": ("ALTER TABLE shops ALTER rent TYPE numeric(10, 0);", {(1, "type-change", "shops", "rent"): (15, False)}),
    "text too long": ("ALTER TABLE goods ALTER name TYPE varchar(6);", {(1, "type-change", "goods", "name"): (231, True)}),
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
        {(4, "delete-where", "kept", None): (10, False), (5, "drop-table", "goods", None): (240, False)},
    ),
    "do block": (
        "DO $$ BEGIN\n  IF EXISTS (SELECT 1 FROM goods) THEN\n    DELETE FROM goods WHERE id > 200;\n  END IF;\nEND $$;",
        {(3, "delete-where", "goods", None): (40, False)},
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
    name: str, scratch: Scratch, database: Callable[..., str], template: str, tmp_path: Path
) -> None:
    text, wanted = CASES[name]
    path = tmp_path / "migration.sql"
    path.write_text(text)
    live = database(template=template)
    flight = fly(path, scratch.dsn(live))
    found = {
        (w.hazard.line, w.hazard.code, w.hazard.table.table if w.hazard.table else None, w.hazard.column): (w.rows, w.fails)
        for w in flight.hazards
    }
    assert {k: found.get(k) for k in wanted} == wanted, (found, flight.notes)
    if not wanted:
        assert not [w for w in flight.hazards if w.hazard.destroys or w.fails]
    try:
        scratch.run(live, text)
        failed = False
    except ScratchError:
        failed = True
    assert failed == flight.fails


def test_a_rehearsal_runs_it_on_a_copy(scratch: Scratch, database: Callable[..., str], template: str, tmp_path: Path) -> None:
    path = tmp_path / "migration.sql"
    path.write_text(
        "DELETE FROM shops WHERE NOT open;\nALTER TABLE goods DROP COLUMN name;\nALTER TABLE lone ALTER n TYPE int USING n::int;"
    )
    flight = fly(path, scratch.dsn(template), rehearse=True)
    assert flight.rehearsal is not None
    assert [r.took for r in flight.rehearsal] == [{"shops": 5, "shelves": 15, "goods": 60, "goods.name": 60}, {"goods.name": 180}, {}]
    assert "invalid input syntax" in (flight.rehearsal[2].error or "")
    assert scratch.run(template, "SELECT count(*) FROM shops") == "20\n"


def test_only_pending_migrations_of_a_folder_are_looked_at(scratch: Scratch, database: Callable[..., str], tmp_path: Path) -> None:
    prisma = Prisma(tmp_path / "migrations")
    live = database(Prisma.TABLE + prisma.ran("1_a", "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1), (2);"))
    prisma.write("2_b", "DROP TABLE a;")
    flight = fly(prisma.folder, scratch.dsn(live))
    assert flight.migrations == ("2_b",)
    assert [(w.hazard.code, w.rows) for w in flight.hazards] == [("drop-table", 2)]


def test_a_history_that_names_none_of_the_files_is_said(scratch: Scratch, database: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "1.sql").write_text("SELECT 1;")
    name = database(
        "CREATE TABLE migrations (id serial, migration text, batch int); INSERT INTO migrations (migration, batch) VALUES ('a', 1)"
    )
    with LiveSource(scratch.dsn(name)) as live:
        chosen, notes = pending(read_folder(tmp_path), live)
    assert [m.name for m in chosen] == ["1"]
    assert notes == ["Live's migration history (Laravel) names no file of the folder: every migration of it is looked at."]


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
    live = database("CREATE TABLE secret (id int); CREATE TABLE t (id int); INSERT INTO t VALUES (1);")
    scratch.run(live, "DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN END $$; GRANT SELECT ON t TO reader;")
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


def test_nothing_is_written_to_live(scratch: Scratch, database: Callable[..., str], tmp_path: Path) -> None:
    live = database(
        "CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE FUNCTION eat() RETURNS boolean LANGUAGE sql AS 'DELETE FROM t RETURNING true';"
    )
    path = tmp_path / "migration.sql"
    path.write_text("DELETE FROM t WHERE eat();")
    flight = fly(path, scratch.dsn(live))
    assert flight.hazards[0].rows is None
    assert "read-only transaction" in flight.notes[0]
    assert scratch.run(live, "SELECT count(*) FROM t") == "1\n"


def test_a_rehearsal_has_triggers_checks_and_views(scratch: Scratch, database: Callable[..., str], tmp_path: Path) -> None:
    live = database(
        "CREATE TABLE t (id int PRIMARY KEY, n int CHECK (n > 0)); CREATE TABLE log (id int PRIMARY KEY); CREATE VIEW v AS SELECT * FROM t;"
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM log WHERE id = OLD.id; RETURN OLD; END';"
        "CREATE TRIGGER f AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION f();"
        "INSERT INTO t SELECT i, i FROM generate_series(1, 9) i; INSERT INTO log SELECT generate_series(1, 9);"
    )
    path = tmp_path / "migration.sql"
    path.write_text("DELETE FROM t WHERE id < 4;\nUPDATE t SET n = -n;\nDROP TABLE t;\nDELETE FROM log WHERE id > 8;")
    flight = fly(path, scratch.dsn(live), rehearse=True)
    assert flight.notes == ()
    assert flight.rehearsal is not None
    assert [r.took for r in flight.rehearsal] == [{"t": 3, "log": 3}, {}, {}, {"log": 1}]
    assert ["violates check" in (r.error or "") or "other objects depend" in (r.error or "") for r in flight.rehearsal] == [
        False,
        True,
        True,
        False,
    ]
