"""SQL that the parser does not know: the other statements are counted, and this one is marked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.errors import MigrationError
from forensics.scratch import Scratch
from tests.preflight.flying import fly

BEFORE = """
CREATE TABLE visits (id int PRIMARY KEY, place int, note text);
INSERT INTO visits SELECT i, i % 5, 'n' FROM generate_series(1, 50) i;
CREATE TABLE places (id int PRIMARY KEY);
INSERT INTO places SELECT i FROM generate_series(1, 7) i;
"""
MIGRATION = """\
-- First; this is known.
DELETE FROM visits WHERE place = 1;

REPACK (CONCURRENTLY) visits;  -- and; this
UPDATE visits FOR PORTION OF at
  FROM '2026-01-01' TO '2026-02-01' SET note = 'a;b';
CREATE FUNCTION twice(int) RETURNS int BEGIN ATOMIC SELECT $1; SELECT $1 * 2; END;
ALTER TABLE visits MERGE PARTITIONS (v1, v2) INTO v3;
CREATE PROPERTY GRAPH g VERTEX TABLES (places);
DROP TABLE places
"""


@pytest.fixture
def flown(scratch: Scratch, database: Callable[..., str], tmp_path: Path) -> tuple[Path, str]:
    path = tmp_path / "next.sql"
    path.write_text(MIGRATION)
    return path, scratch.dsn(database(BEFORE))


def test_the_other_statements_are_counted(flown: tuple[Path, str]) -> None:
    flight = fly(*flown)
    found = [(w.hazard.line, w.hazard.code, w.rows) for w in flight.hazards if w.rows != 0]
    assert found == [
        (2, "delete-where", 10),
        (4, "not-understood", None),
        (5, "not-understood", None),
        (8, "not-understood", None),
        (9, "not-understood", None),
        (10, "drop-table", 7),
    ]
    assert flight.destroys and flight.uncounted and not flight.fails
    text = {w.hazard.line: w.hazard.sql for w in flight.hazards}
    assert text[5].endswith("SET note = 'a;b'")
    assert text[8] == "ALTER TABLE visits MERGE PARTITIONS (v1, v2) INTO v3"


def test_a_rehearsal_tries_them_and_goes_on(flown: tuple[Path, str]) -> None:
    flight = fly(*flown, rehearse=True)
    assert flight.rehearsal is not None
    took = {step.line: step.took for step in flight.rehearsal}
    failed = {step.line: step.error for step in flight.rehearsal if step.error}
    assert (took[2], took[10]) == ({"visits": 10}, {"places": 7})
    assert failed.keys() == {4, 5, 8, 9}
    assert "syntax error" in str(failed[4])
    assert flight.uncounted and not flight.fails


def test_what_has_no_end_is_no_sql(flown: tuple[Path, str]) -> None:
    path, dsn = flown
    path.write_text("DELETE FROM visits;\nREPACK 'visits;")
    with pytest.raises(MigrationError, match="line 2"):
        fly(path, dsn)
