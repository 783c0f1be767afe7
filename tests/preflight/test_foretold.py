"""Whether PostgreSQL does what was foretold: each migration is counted, then run and taken back."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from forensics.evidence.migrations import Migration, read_folder
from forensics.scratch import Scratch
from tests.preflight.cases import CASES
from tests.preflight.flying import fly


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
    """Run a migration and take it back.

    By line, how many rows and how many other values went; and whether it failed.
    """
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
        "SELECT c.oid, c.oid::regclass::text, array_agg(ROW(a.attnum, a.attname, "
        "format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum) "
        "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
        "AND NOT a.attisdropped "
        "WHERE c.relkind = 'r' AND c.relnamespace IN ('public'::regnamespace, "
        "'old'::regnamespace) GROUP BY c.oid"
    ).fetchall()
    for oid, name, columns in listed:
        texts = ", ".join(f'"{column}"::text' for _, column, _ in columns)
        rows = connection.execute(f"SELECT {texts} FROM ONLY {name}".encode()).fetchall()
        found[oid] = {
            row[0]: {int(n): (kind, v) for (n, _, kind), v in zip(columns, row, strict=True)}
            for row in rows
        }
    return found
