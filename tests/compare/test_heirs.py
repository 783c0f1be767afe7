"""INSERTs without column names, of tables that inherit."""

from __future__ import annotations

import pytest

from forensics.errors import BackupError
from forensics.evidence import open_source
from forensics.evidence.inspection import inspect_backup
from forensics.model import TableName
from tests.conftest import Incident

TOLD_APART = """
CREATE TABLE thing (id int PRIMARY KEY, label text);
CREATE TABLE car (wheels smallint, built date, PRIMARY KEY (id)) INHERITS (thing);
ALTER TABLE thing ADD COLUMN seen timestamptz, ADD COLUMN code uuid, ADD COLUMN ok boolean;
INSERT INTO car (id, label, wheels, built, seen, code, ok)
SELECT i, 'c' || i, i % 5, date '2026-02-01' + i, now(), gen_random_uuid(), i % 2 = 0
FROM generate_series(1, 30) i;
INSERT INTO thing VALUES (100, 'x');
"""
ALIKE = """
CREATE TABLE thing (id int PRIMARY KEY);
CREATE TABLE car (wheels int, PRIMARY KEY (id)) INHERITS (thing);
ALTER TABLE thing ADD COLUMN doors int;
INSERT INTO car (id, wheels, doors) SELECT i, 4, i % 3 FROM generate_series(1, 30) i;
CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1), (2);
"""
NEVER_ALTERED = """
CREATE TABLE thing (id int PRIMARY KEY, doors int);
CREATE TABLE car (wheels int, PRIMARY KEY (id)) INHERITS (thing);
INSERT INTO car (id, wheels, doors) SELECT i, 4, i % 3 FROM generate_series(1, 30) i;
"""
CAR = TableName("public", "car")


@pytest.mark.parametrize("options", ["--inserts", "--rows-per-insert=7", "--column-inserts", "-Fp"])
def test_an_order_that_types_tell(options: str, incident: Incident) -> None:
    incident.happens(TOLD_APART, "DELETE FROM car WHERE id < 4", options)
    with incident.compare() as case:
        incident.check(case)
        assert (case.result("car").missing, case.result("car").added) == (3, 0)


def test_an_order_that_nothing_tells(incident: Incident) -> None:
    incident.happens(ALIKE, "DELETE FROM other WHERE id = 2", "--inserts")
    with incident.compare() as case:
        car = case.result("car")
        assert (car.state, car.missing) == ("failed", None)
        assert "order" in (car.reason or "")
        assert not case.complete
        assert case.result("other").missing == 1


def test_an_order_that_is_the_definitions(incident: Incident) -> None:
    incident.happens(NEVER_ALTERED, "DELETE FROM car WHERE id = 9", "--inserts")
    with incident.compare() as case:
        incident.check(case)
        assert case.result("car").missing == 1


@pytest.mark.parametrize(("before", "rows"), [(TOLD_APART, 30), (ALIKE, None)])
def test_heirs_that_live_dropped(before: str, rows: int | None, incident: Incident) -> None:
    incident.happens(before, "DROP TABLE car", "--inserts")
    with incident.compare() as case:
        assert case.result("car").missing == rows
    with open_source(incident.backup) as source:
        if rows:
            assert {c for (c,) in source.rows_of(CAR, ["wheels"])} == {"0", "1", "2", "3", "4"}
        else:
            with pytest.raises(BackupError, match="cannot be known"):
                source.rows_of(CAR, ["id"])
        assert inspect_backup(source).whole
