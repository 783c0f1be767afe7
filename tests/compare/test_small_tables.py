"""Many small tables: read at once, written only where something differs, and each one right."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

import forensics as fx
from forensics.compare import batches
from forensics.compare.engines.duckdb import DuckDB
from forensics.compare.preparation import Preparation
from forensics.evidence.live import bulk
from forensics.evidence.live.lending import Lending
from forensics.evidence.live.readers import PsqlReader, Reader
from forensics.model import TableName
from forensics.store import tables_of
from tests.conftest import Incident

TABLES = 30
BEFORE = "".join(
    f"CREATE TABLE t{n} (id int PRIMARY KEY, v text, at timestamptz);"
    f"INSERT INTO t{n} SELECT i, 'v' || i, "
    "  timestamptz '2025-03-30 01:30:00+01' + i * interval '1 h'"
    "  FROM generate_series(1, 12) i;"
    for n in range(TABLES)
)
CHANGE = (
    "DELETE FROM t3 WHERE id < 5; UPDATE t7 SET v = 'other' WHERE id = 2;"
    "INSERT INTO t9 VALUES (99, 'new', now()); DROP TABLE t11"
)
# By table, what is missing, added and changed; nothing in the others.
RIGHT = {"t3": (4, 0, 0), "t7": (0, 0, 1), "t9": (0, 1, 0), "t11": (12, 0, 0)}


def is_right(case: fx.Case) -> None:
    assert len(case.results) == TABLES
    for one in case.results:
        assert one.state == ("dropped" if one.name.table == "t11" else "compared")
        expected = RIGHT.get(one.name.table, (0, 0, 0))
        assert (one.missing, one.added, one.changed) == expected, one.name
        assert one.backup_rows == 12


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What psql is told to copy, as it is told it."""
    found: list[str] = []
    copy_out = PsqlReader.copy_out

    def noted(self: PsqlReader, task: Any) -> Any:
        found.append(task.statement)
        return copy_out(self, task)

    monkeypatch.setattr(PsqlReader, "copy_out", noted)
    return found


@pytest.mark.parametrize("form", ["-Fp", "-Fc"])
def test_they_are_read_at_once_and_only_differences_are_written(
    form: str, incident: Incident, asked: list[str]
) -> None:
    incident.happens(BEFORE, CHANGE, form)
    with incident.compare() as case:
        is_right(case)
        assert len([one for one in asked if "\\;" in one]) == 1
        assert not [one for one in asked if '"t5"' in one and "\\;" not in one]
        store = case.store
        numbers = {store.number(TableName("public", name)) for name in ("t3", "t7", "t9")}
        dropped = store.number(TableName("public", "t11"))
        kept = {f"rows.{side}_{n}" for n in numbers for side in ("backup", "live")}
        with store.query() as cursor:
            there = {name for name in tables_of(cursor) if name.startswith("rows.")}
        assert there == kept | {f"rows.backup_{dropped}"}
        # Of the others the columns are known, and that no row differs.
        assert case.table("t5").missing.empty
        assert list(case.table("t5").missing.columns) == ["id", "v", "at"]


def test_equal_tables_ask_the_engine_nothing(
    incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not where they are in another order, have another column, or were dumped elsewhere."""

    def differ(*_: object, **__: object) -> None:
        raise AssertionError("the engine was asked")

    monkeypatch.setattr(DuckDB, "differ", differ)
    incident.happens(
        f"""
        DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone TO ''Asia/Kolkata''',
                                   current_database()); END $$;
        {BEFORE}
        """,
        "CREATE TABLE turned AS SELECT * FROM t2 ORDER BY id DESC; TRUNCATE t2;"
        "INSERT INTO t2 SELECT * FROM turned; DROP TABLE turned; ALTER TABLE t4 ADD extra int",
    )
    assert "+05:30" in incident.backup.read_text()
    with incident.compare() as case:
        assert len(case.results) == TABLES
        assert all(one.intact and one.backup_rows == 12 for one in case.results)


def test_rows_that_look_like_the_ends_of_answers(incident: Incident, asked: list[str]) -> None:
    rows = [r"\: 0", "\\: 1\n\\: 2", r"\.", "\n", "", r"\. false 00000 f f -"]
    odd = ", ".join(f"('{row}')" for row in rows)
    made = "".join(f"CREATE TABLE o{n} (v text); INSERT INTO o{n} VALUES {odd};" for n in range(3))
    incident.happens(
        made + "CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES;"
        "CREATE TABLE none (v int)",
        r"DELETE FROM o1 WHERE v = '\: 0'",
    )
    with incident.compare() as case:
        found = {one.name.table: (one.missing, one.unchanged) for one in case.results}
    assert [one for one in asked if "\\;" in one]
    assert found == {"o0": (0, 6), "o1": (1, 5), "o2": (0, 6), "nothing": (0, 1), "none": (0, 0)}


@pytest.mark.parametrize("nice", [False, True])
def test_the_next_ones_come_meanwhile_by_the_same_session(
    nice: bool, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five batches: the next is asked for before the first table of one is compared."""
    told: list[str] = []
    monkeypatch.setattr(batches, "_TOGETHER", 6)
    read_ahead, made = Preparation.read_ahead, Lending._new_reader

    def reads(self: Preparation, tables: Sequence[TableName]) -> None:
        told.append(threading.current_thread().name)
        read_ahead(self, tables)

    def makes(self: Lending) -> Reader:
        told.append("session")
        return made(self)

    monkeypatch.setattr(Preparation, "read_ahead", reads)
    monkeypatch.setattr(Lending, "_new_reader", makes)
    incident.happens(BEFORE, CHANGE)
    with incident.compare(options=fx.Options(nice=nice)) as case:
        is_right(case)
    assert told.count("session") == 1
    assert told.count("ahead") == (0 if nice else 4)
    assert sum(name.startswith("compare") for name in told) == (5 if nice else 1)


@pytest.mark.parametrize("what", ["too much", "no answer", "another order"])
def test_what_does_not_come_whole_is_read_one_by_one(
    what: str, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    if what == "too much":
        monkeypatch.setattr(bulk, "_MOST_BYTES", 200)
    elif what == "no answer":
        monkeypatch.setattr(bulk, "check_of", lambda tables: "SELECT 1/0 AS rewritten")
    else:
        monkeypatch.setattr(bulk, "_END", "COPY (SELECT chr(92) || ': 1{}') TO STDOUT CSV")
    incident.happens(BEFORE, CHANGE)
    with incident.compare() as case:
        is_right(case)


def test_one_that_is_locked_fails_alone(incident: Incident) -> None:
    incident.happens(BEFORE, CHANGE)
    with psycopg.connect(incident.live_dsn) as other:
        other.execute("LOCK TABLE t5 IN ACCESS EXCLUSIVE MODE")
        with incident.compare(options=fx.Options(lock_timeout="200ms")) as case:
            failed = [one for one in case.results if one.state == "failed"]
            assert [one.name.table for one in failed] == ["t5"]
            assert "lock" in str(failed[0].reason)
    with incident.compare(options=fx.Options(resume=True)) as case:
        is_right(case)


def test_one_that_is_rewritten_meanwhile_is_not_taken_for_empty(
    incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Truncated after the snapshot was taken, it holds nothing that the snapshot shows."""
    incident.happens(BEFORE, CHANGE)
    statement_of = bulk.statement_of

    def after_truncate(copies: Sequence[str]) -> str:
        with psycopg.connect(incident.live_dsn, autocommit=True) as other:
            other.execute("TRUNCATE t5; INSERT INTO t5 SELECT * FROM t6 WHERE id < 3")
        monkeypatch.setattr(bulk, "statement_of", statement_of)
        return statement_of(copies)

    monkeypatch.setattr(bulk, "statement_of", after_truncate)
    with incident.compare() as case:
        [found] = [one for one in case.results if one.name.table == "t5"]
        assert (found.state, found.missing, found.live_rows) == ("compared", 10, 2)


# --- what a run leaves ----------------------------------------------------------------------------


def test_a_killed_run_loses_no_more_than_two_seconds(incident: Incident, tmp_path: Path) -> None:
    many = "CREATE TABLE zz AS SELECT i AS id FROM generate_series(1, 9000) i; ANALYZE zz;"
    incident.happens(BEFORE + many, CHANGE)
    folder = tmp_path / "case"
    command = [sys.executable, "-m", "forensics", "compare", incident.backup, incident.live_dsn]
    command += ["--case", folder, "--lock-timeout", "60s"]
    with psycopg.connect(incident.live_dsn) as other:
        other.execute("LOCK TABLE zz IN ACCESS EXCLUSIVE MODE")
        child = subprocess.Popen([str(one) for one in command], start_new_session=True)
        try:
            _until_it_waits(incident.live_dsn)
            time.sleep(2)
        finally:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    with fx.open_case(folder) as case:
        assert {one.name.table for one in case.results} == {f"t{n}" for n in range(TABLES)}
    with incident.compare(options=fx.Options(resume=True)) as case:
        assert case.complete
        assert {r.name.table: r.missing for r in case.results if r.missing} == {"t3": 4, "t11": 12}
        assert len(case.results) == TABLES + 1


def _until_it_waits(dsn: str) -> None:
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND wait_event_type = 'Lock' AND query LIKE 'COPY%'"
    )
    with psycopg.connect(dsn, autocommit=True) as connection:
        deadline = time.monotonic() + 60
        while not connection.execute(waiting).fetchone()[0]:  # type: ignore[index]
            assert time.monotonic() < deadline, "nobody reads"
            time.sleep(0.05)


def test_rows_that_an_earlier_run_kept_go_where_none_differs_now(incident: Incident) -> None:
    incident.happens(BEFORE, CHANGE)
    with incident.compare() as case:
        is_right(case)
    incident.happens_next(
        "ALTER TABLE t3 ADD extra int; INSERT INTO t3 SELECT i, 'v' || i,"
        " timestamptz '2025-03-30 01:30:00+01' + i * interval '1 h' FROM generate_series(1, 4) i"
    )
    with incident.compare(options=fx.Options(resume=True)) as case:
        [found] = [one for one in case.results if one.name.table == "t3"]
        assert found.intact
        number = case.store.number(found.name)
        with case.store.query() as cursor:
            assert f"rows.backup_{number}" not in tables_of(cursor)
        assert case.table("t3").missing.empty
