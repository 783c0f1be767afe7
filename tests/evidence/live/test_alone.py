"""A server that has one session for all, as PGlite has: it is read through that one."""

from __future__ import annotations

import pytest

import forensics as fx
from forensics.evidence.live import connection, lending, sql_files
from tests.conftest import Incident

BEFORE = """
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 5000) i;
CREATE TABLE parts (id int NOT NULL, v text) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (1000);
INSERT INTO parts SELECT i, 'v' || i FROM generate_series(1, 500) i;
"""
CHANGE = "DELETE FROM t WHERE id <= 7; DELETE FROM parts WHERE id = 9;"


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every server for one of that kind; it gives no other session."""

    def query(name: str) -> str:
        return sql_files.query(name).replace("'%PGlite%'", "'%PostgreSQL%'")

    def refuse(*_: object) -> None:
        raise AssertionError("another session was asked for")

    monkeypatch.setattr(connection, "query", query)
    monkeypatch.setattr(lending, "PsqlReader", refuse)
    monkeypatch.setattr(lending, "PsycopgReader", refuse)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("jobs", [1, 3])
def test_rows_come_through_the_session_that_holds_the_snapshot(
    incident: Incident, jobs: int
) -> None:
    incident.happens(BEFORE, CHANGE)
    with incident.compare(options=fx.Options(jobs=jobs)) as case:
        assert case.complete
        incident.check(case)
