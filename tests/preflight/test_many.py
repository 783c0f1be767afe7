"""Migrations of very many statements: each costs what the first one costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from forensics.cli.preflight import _without_resume
from forensics.evidence.migrations import parse_statements
from forensics.scratch import Scratch
from tests.preflight.flying import fly

BEFORE = "CREATE TABLE jars (id int, label text);" + (
    "INSERT INTO jars SELECT i, 'a' FROM generate_series(1, 90) i;"
)


def written(folder: Path, statements: list[str]) -> Path:
    path = folder / "m.sql"
    path.write_text("\n".join(statements))
    return path


def test_many_changes_of_a_table_are_no_tower(
    database: Callable[..., str], scratch: Scratch, tmp_path: Path
) -> None:
    """A condition that names what the statement before has set would double with each."""
    live = database(BEFORE)
    changes = [f"UPDATE jars SET label = 'b{i}' WHERE label <> 'x{i}';" for i in range(150)]
    flight = fly(written(tmp_path, changes), scratch.dsn(live))
    rows = [warning.rows for warning in flight.hazards]
    assert rows[:20] == [90] * 20
    assert rows[-1] is None
    assert "change the rows of jars" in flight.notes[-1]
    assert flight.destroys


def test_what_is_deleted_after_many_inserts_is_counted(
    database: Callable[..., str], scratch: Scratch, tmp_path: Path
) -> None:
    live = database(BEFORE)
    statements = [f"INSERT INTO jars VALUES ({i}, 'n');" for i in range(100, 1100)]
    statements.append("DELETE FROM jars WHERE id < 91;")
    flight = fly(written(tmp_path, statements), scratch.dsn(live))
    assert [(h.hazard.code, h.rows) for h in flight.hazards] == [("delete-where", 90)]


def test_many_tables_are_made_and_dropped(
    database: Callable[..., str], scratch: Scratch, tmp_path: Path
) -> None:
    live = database(BEFORE)
    statements = [f"CREATE TABLE t{i} (id int PRIMARY KEY);" for i in range(300)]
    statements += [f"DROP TABLE t{i};" for i in range(300)]
    statements += ["DROP TABLE jars;", "CREATE TABLE jars (id int);"]
    flight = fly(written(tmp_path, statements), scratch.dsn(live))
    counted = [(h.hazard.code, h.rows) for h in flight.hazards if h.rows]
    assert counted == [("drop-table", 90), ("drop-and-create", 90)]


def test_lines_are_those_of_the_file() -> None:
    text = "SELECT 1;\n\n-- no\nSELECT 2; SELECT\n3;\n\nSELECT 4;"
    assert [s.line for s in parse_statements(text.encode(), "m.sql")] == [1, 4, 4, 7]


def test_nobody_is_told_to_resume_a_preflight() -> None:
    assert _without_resume("Go on with --resume.") == "Run it again."
    assert _without_resume("Try again with --resume.") == "Try again."
    assert _without_resume(None) is None


def test_heirs_of_tables_that_come_and_go(
    database: Callable[..., str], scratch: Scratch, tmp_path: Path
) -> None:
    live = database(
        "CREATE TABLE jars (id int); CREATE TABLE pots () INHERITS (jars); "
        "CREATE TABLE pans () INHERITS (pots); INSERT INTO pots VALUES (1), (2); "
        "INSERT INTO pans VALUES (3)"
    )
    statements = [
        "ALTER TABLE pots RENAME TO urns;",
        "CREATE TABLE cups () INHERITS (jars);",
        "DROP TABLE pans;",
        "DROP TABLE jars CASCADE;",
    ]
    flight = fly(written(tmp_path, statements), scratch.dsn(live))
    taken = [(h.hazard.line, str(h.hazard.table), h.rows) for h in flight.hazards if h.rows]
    assert taken == [(3, "pans", 1), (4, "urns", 2)]
