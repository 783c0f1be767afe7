"""Preflight: what it answers, what it leaves open, and what a rehearsal settles."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.errors import LiveError
from forensics.evidence.live.source import LiveSource
from forensics.evidence.migrations import read_folder
from forensics.preflight.check import pending
from forensics.preflight.output import github, level, plain_flight, sarif
from forensics.scratch import Scratch
from tests.cause.incidents import Prisma
from tests.preflight.flying import fly

# migration: (whether it would destroy something, whether something that may could not be counted)
OPEN = {
    # Whether a trigger takes the obstacle first, or what else, only running it tells.
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM "
    "leases WHERE shop_id = OLD.id; RETURN OLD; END';\n"
    "CREATE TRIGGER t BEFORE DELETE ON shops FOR EACH ROW EXECUTE FUNCTION f();\n"
    "DELETE FROM shops WHERE id = 2;": (
        True,
        True,
    ),
    "INSERT INTO notes VALUES (99);": (False, False),  # its trigger only touches the row
    "DELETE FROM notes WHERE id > 99;": (False, True),  # its trigger deletes elsewhere
    "DO $$ BEGIN IF false THEN DELETE FROM notes WHERE id > 99; END IF; END $$;": (False, True),
    "ALTER TABLE notes DISABLE TRIGGER ALL;\nDELETE FROM notes WHERE id > 99;\n"
    "ALTER TABLE notes ENABLE TRIGGER ALL;": (
        False,
        False,
    ),
    "DROP TRIGGER forget ON notes;\nDELETE FROM notes WHERE id > 99;": (False, False),
    "DO $$ BEGIN EXECUTE format('DROP TABLE %I', 'go' || 'ods'); END $$;": (True, False),
    "DO $$ BEGIN EXECUTE format('DROP TABLE %I', current_user); END $$;": (False, True),
    "DO $$ BEGIN EXECUTE 'CREATE INDEX ON goods (name)'; END $$;": (False, False),
    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DROP "
    "TABLE ' || 'goods'; END $$;": (
        False,
        False,
    ),
    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM "
    "goods; END $$;\nSELECT f();": (
        True,
        False,
    ),
    "CREATE FUNCTION f() RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY "
    "EXECUTE 'DROP TABLE ' || current_user; END $$;\nSELECT f();": (
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
    "ALTER VIEW menu RENAME TO card;\nDROP VIEW card CASCADE;\n"
    "DROP RULE follow ON tills;\nDROP TABLE dishes;": (
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
    assert counted.hazards[1].says == (
        "sets off trigger forget of notes, which deletes rows (log); what that takes "
        "was not counted"
    )
    rehearsed = fly(path, scratch.dsn(template), rehearse=True)
    assert (counted.uncounted, rehearsed.uncounted, rehearsed.destroys) == (True, False, False)


def test_a_rehearsal_runs_it_on_a_copy(
    scratch: Scratch, database: Callable[..., str], template: str, tmp_path: Path
) -> None:
    path = tmp_path / "migration.sql"
    path.write_text(
        "DELETE FROM shops WHERE NOT open;\nALTER TABLE goods DROP COLUMN name;\n"
        "ALTER TABLE lone ALTER n TYPE int USING n::int;"
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
        "CREATE TABLE migrations (id serial, migration text, batch int); INSERT INTO "
        "migrations (migration, batch) VALUES ('a', 1)"
    )
    with LiveSource(scratch.dsn(name)) as live:
        found = pending(read_folder(tmp_path), live)
    assert [m.name for m in found.migrations] == ["1"]
    assert found.notes == (
        "Live's migration history (Laravel) names no file of the folder: every "
        "migration of it is looked at.",
    )


@pytest.mark.parametrize("schema", ["public", "app"])
def test_a_history_that_may_not_be_read(
    schema: str, scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "1.sql").write_text("DROP TABLE cups;")
    role = f"cup_{schema}"
    name = database(
        "CREATE SCHEMA app; "
        f"CREATE TABLE {schema}.migrations (id serial, migration text, batch int); "
        f"CREATE TABLE {schema}.cups (id int); INSERT INTO {schema}.cups VALUES (1), (2); "
        f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA app TO {role}; "
        f"GRANT SELECT ON {schema}.cups TO {role}"
    )
    dsn = scratch.dsn(name).replace("postgres@", f"{role}@")
    try:
        if schema == "app":  # where the name leads, only the history would tell
            with pytest.raises(LiveError, match="migrations"):
                fly(tmp_path / "1.sql", dsn)
            return
        flight = fly(tmp_path / "1.sql", dsn)
        assert [(w.hazard.code, w.rows) for w in flight.hazards] == [("drop-table", 2)]
        assert any("taken for public's" in note for note in flight.notes)
    finally:
        scratch.run(name, f"DROP OWNED BY {role}; DROP ROLE {role}")


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
        "DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN "
        "END $$; GRANT SELECT ON t TO reader;",
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
        "CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE FUNCTION eat() "
        "RETURNS boolean LANGUAGE sql AS 'DELETE FROM t RETURNING true';"
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
        "CREATE TABLE t (id int PRIMARY KEY, n int CHECK (n > 0)); CREATE TABLE log "
        "(id int PRIMARY KEY); CREATE VIEW v AS SELECT * FROM t;"
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM "
        "log WHERE id = OLD.id; RETURN OLD; END';"
        "CREATE TRIGGER f AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION f();"
        "INSERT INTO t SELECT i, i FROM generate_series(1, 9) i; INSERT INTO log "
        "SELECT generate_series(1, 9);"
    )
    path = tmp_path / "migration.sql"
    path.write_text(
        "DELETE FROM t WHERE id < 4;\nUPDATE t SET n = -n;\nDROP TABLE t;\n"
        "DELETE FROM log WHERE id > 8;"
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


def test_what_a_tool_notes_of_itself_destroys_nothing(
    database: Callable[..., str], scratch: Scratch, tmp_path: Path
) -> None:
    live = database(
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);"
        "INSERT INTO alembic_version VALUES ('a'); CREATE TABLE version (n int);"
        "INSERT INTO version VALUES (1)"
    )
    path = tmp_path / "upgrade.sql"
    path.write_text(
        "-- Running upgrade a -> b\nALTER TABLE version ADD COLUMN m int;\n"
        "UPDATE alembic_version SET version_num = 'b' WHERE version_num = 'a';\n"
        "-- Running upgrade b -> c\nUPDATE version SET n = 2;\n"
        "UPDATE alembic_version SET version_num = 'c' WHERE version_num = 'b';\n"
    )
    found = [w.hazard for w in fly(path, scratch.dsn(live)).hazards if w.hazard.destroys]
    assert [(one.code, str(one.table)) for one in found] == [("update-all", "version")]
