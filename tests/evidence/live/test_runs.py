"""Runs of a table's pages, read by several sessions: the same rows, in the same order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, cast

import psycopg
import pytest

import forensics as fx
from forensics.errors import LiveError, OutdatedError
from forensics.evidence.live import runs
from forensics.evidence.live.lending import Lending
from forensics.evidence.live.source import LiveSegment, LiveSource
from forensics.model import TableName
from forensics.scratch import Scratch
from tests.conftest import Incident

TABLES = """
CREATE EXTENSION postgres_fdw;
CREATE TABLE guests (id int PRIMARY KEY, name text, note text) WITH (fillfactor = 70);
INSERT INTO guests SELECT i, md5(i::text), repeat('n', i % 90) FROM generate_series(1, 6000) i;
UPDATE guests SET note = 'moved ' || repeat(name, 4) WHERE id % 7 = 0;
CREATE TABLE emptied (id int, body text);
INSERT INTO emptied SELECT i, md5(i::text) FROM generate_series(1, 6000) i;
DELETE FROM emptied WHERE id BETWEEN 1500 AND 4500;
CREATE TABLE bodies (id int, body text);
ALTER TABLE bodies ALTER body SET STORAGE EXTERNAL;
INSERT INTO bodies SELECT i, repeat(md5(i::text), 1 + (i % 40) * 6)
  FROM generate_series(1, 1500) i;
CREATE TABLE base (id int, body text);
CREATE TABLE heir (more int) INHERITS (base);
INSERT INTO base SELECT i, md5(i::text) FROM generate_series(1, 3000) i;
INSERT INTO heir SELECT -i, md5(i::text), 1 FROM generate_series(1, 3000) i;
CREATE TABLE parted (id int, body text) PARTITION BY RANGE (id);
CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (2000);
CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (2000) TO (9000);
INSERT INTO parted SELECT i, md5(i::text) FROM generate_series(1, 5000) i;
CREATE MATERIALIZED VIEW seen AS SELECT * FROM guests;
CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere');
CREATE FOREIGN TABLE afar (id int, body text) SERVER itself;
CREATE TABLE partly (id int, body text, secret text);
INSERT INTO partly SELECT i, md5(i::text), 's' FROM generate_series(1, 3000) i;
CREATE ROLE clerk LOGIN;
GRANT SELECT (id, body) ON partly TO clerk;
VACUUM ANALYZE;
"""


@pytest.fixture(scope="module")
def hotel(scratch: Scratch) -> Iterator[str]:
    scratch.create("runs")
    scratch.run("runs", TABLES)
    yield "runs"
    scratch.drop("runs")
    scratch.run("postgres", "DROP ROLE clerk")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have small tables read in runs of four pages, by three sessions."""
    monkeypatch.setattr(runs, "cores", lambda: 8)
    monkeypatch.setattr(runs, "_LEAST_BYTES", 1)
    monkeypatch.setattr(runs, "_RUN_BYTES", 4 * 8192)
    monkeypatch.setattr(runs, "_HELD_BYTES", 64 << 10)


class Spy:
    """Hears what readers are told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[str] = []
        task = LiveSource.task

        def told(source: LiveSource, table: TableName, statement: str, *more: Any) -> Any:
            self.said.append(statement)
            return task(source, table, statement, *more)

        monkeypatch.setattr(LiveSource, "task", told)

    @property
    def ranges(self) -> int:
        return sum("ctid" in statement for statement in self.said)


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    return Spy(monkeypatch)


def _live(scratch: Scratch, name: str, jobs: int = 3) -> LiveSource:
    return LiveSource(scratch.dsn(name), jobs=jobs)


def _rows(source: LiveSource, table: str, columns: tuple[str, ...] = ("id", "body")) -> bytes:
    [segment] = source.segments(TableName("public", table), columns)
    return b"".join(bytes(block) for block in segment.blocks())


def _threads() -> int:
    return sum(thread.name == "pages" for thread in threading.enumerate())


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("guests", ("id", "note", "name")),
        ("emptied", ("id", "body")),
        ("bodies", ("id", "body")),
        ("base", ("id", "body")),
        ("heir", ("id", "body", "more")),
        ("parted_high", ("id", "body")),
    ],
)
def test_runs_are_the_rows_that_one_copy_has_in_its_order(
    table: str, columns: tuple[str, ...], hotel: str, scratch: Scratch, spy: Spy
) -> None:
    with _live(scratch, hotel, jobs=1) as alone:
        wanted = _rows(alone, table, columns)
    assert not spy.ranges
    with _live(scratch, hotel) as live:
        assert _rows(live, table, columns) == wanted
        assert spy.ranges > 5
        assert _rows(live, table, columns) == wanted
    assert wanted.count(b"\n") > 300
    assert not _threads()


@pytest.mark.parametrize("table", ["parted", "seen", "empty", "partly"])
def test_what_has_no_pages_of_its_own_is_read_at_once(
    table: str, hotel: str, scratch: Scratch, spy: Spy
) -> None:
    scratch.run(hotel, "CREATE TABLE IF NOT EXISTS empty (id int, body text)")
    columns = ("id", "name") if table == "seen" else ("id", "body")
    dsn = scratch.dsn(hotel)
    if table == "partly":  # a role that may read these columns, and no ctid
        dsn = dsn.replace("postgres@", "clerk@")
    with LiveSource(dsn, jobs=3) as live:
        assert live.catalog.tables[TableName("public", "afar")].kind == "foreign"
        assert live.runs_of(TableName("public", "afar")) is None
        found = _rows(live, table, columns)
    assert not spy.ranges
    assert bool(found) == (table != "empty")


def test_older_servers_read_a_table_at_once(
    hotel: str, scratch: Scratch, spy: Spy, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _live(scratch, hotel) as live:
        monkeypatch.setattr(LiveSource, "version", 130014)
        assert _rows(live, "guests", ("id",)).count(b"\n") == 6000
    assert not spy.ranges


def test_a_table_that_grew_behind_its_last_page_is_read_to_its_end(
    hotel: str, scratch: Scratch, spy: Spy, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = runs.Runs.of
    half = classmethod(lambda cls, pages, size: whole(pages // 2, size))
    monkeypatch.setattr(runs.Runs, "of", half)
    with _live(scratch, hotel) as live:
        assert _rows(live, "guests", ("id",)).count(b"\n") == 6000
    assert spy.ranges > 5


def test_runs_have_one_end_and_no_gap() -> None:
    found = runs.Runs(10, 4)
    assert [found.condition(run) for run in range(found.number)] == [
        "ctid < '(4,0)'::pg_catalog.tid",
        "ctid >= '(4,0)'::pg_catalog.tid AND ctid < '(8,0)'::pg_catalog.tid",
        "ctid >= '(8,0)'::pg_catalog.tid",
    ]
    assert runs.Runs.of(3, 3 * 8192) is None
    assert runs.Runs.of(0, 8192) is None


def test_a_server_on_the_same_cores_leaves_one_to_who_compares(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for cores, jobs, host, wanted in [
        (2, 1, "/run/here", 1),
        (2, 8, "/run/here", 1),
        (2, 8, "localhost", 1),
        (2, 8, "db.example.com", 2),
        (8, 4, "/run/here", 4),
        (8, 1, "db.example.com", 1),
        (1, 8, "/run/here", 1),
    ]:
        monkeypatch.setattr(runs, "cores", lambda number=cores: number)
        assert runs.most_sessions(jobs, host) == wanted


def test_a_table_that_is_emptied_between_two_runs_is_not_believed(
    hotel: str, scratch: Scratch, database: Any
) -> None:
    with _live(scratch, database(template=hotel)) as live:
        [segment] = live.segments(TableName("public", "bodies"), ("id", "body"))
        blocks = segment.blocks()
        next(blocks)
        with psycopg.connect(live.shown_dsn, autocommit=True) as other:
            other.execute("TRUNCATE bodies")  # as soon as nobody reads a run
        with pytest.raises(OutdatedError, match="truncated or rewritten"):
            list(blocks)
    assert not _threads()


def test_who_ends_early_leaves_no_thread_and_a_session_that_can_go_on(
    hotel: str, scratch: Scratch
) -> None:
    with _live(scratch, hotel) as live:
        [segment] = live.segments(TableName("public", "bodies"), ("id", "body"))
        blocks = segment.blocks()
        next(blocks)
        assert _threads() > 1
        blocks.close()  # type: ignore[attr-defined]
        assert not _threads()
        assert _rows(live, "bodies").count(b"\n") == 1500
        again = segment.blocks()
        next(again)
        segment.abandon()
        with pytest.raises(LiveError):
            list(again)
    assert not _threads()


def test_where_no_second_session_is_to_be_had_one_reads_all_runs(
    hotel: str, scratch: Scratch, spy: Spy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lending, "_take_spare", lambda self: None)
    with _live(scratch, hotel) as live:
        assert _rows(live, "bodies").count(b"\n") == 1500
        assert len(live._readers._readers) == 1
    assert spy.ranges > 5


def test_who_helps_leaves_where_another_table_is_read() -> None:
    crew = runs.Crew(2, Lending(cast(Any, None), print))
    with crew.reading():
        assert crew.help()
        assert not crew.help()
        assert not crew.is_full
        with crew.reading():
            assert crew.is_full
        crew.leave()
        assert crew.help()


def test_how_fast_rows_come_is_told_by_one_session(hotel: str, scratch: Scratch) -> None:
    with _live(scratch, hotel) as live:
        segment = LiveSegment(live, TableName("public", "guests"), ("id", "name", "note"))
        heard: list[int] = []
        segment.watch = lambda size, seconds: heard.append(size)
        rows = b"".join(bytes(block) for block in segment.blocks())
    assert 0 < sum(heard) < len(rows) / 4


def test_a_comparison_finds_the_same_with_one_session_and_with_several(
    incident: Incident, spy: Spy
) -> None:
    incident.happens(
        TABLES.partition("CREATE ROLE")[0]
        .replace("CREATE EXTENSION postgres_fdw;", "")
        .partition("CREATE MATERIALIZED")[0],
        "DELETE FROM guests WHERE id % 97 = 0; UPDATE guests SET name = 'x' WHERE id % 89 = 0;"
        " DELETE FROM bodies WHERE id > 1490; INSERT INTO guests VALUES (9001, 'new', NULL);"
        " UPDATE parted SET body = 'y' WHERE id = 4000",
    )
    with incident.compare("several", options=fx.Options(jobs=3)) as case:
        incident.check(case)
    assert spy.ranges > 20
