"""Ranges of a table's pages, read by whoever is sent them: all rows, and none of them twice."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

from forensics.evidence.live import pages
from forensics.evidence.live.sent import SentSegment
from forensics.evidence.live.source import LiveSegment, LiveSource
from forensics.model import TableName
from forensics.scratch import Scratch

SCHEMA = """
CREATE TABLE berths (id int PRIMARY KEY, note text);
INSERT INTO berths SELECT i, repeat('n', 90) FROM generate_series(1, 2000) i;
DELETE FROM berths WHERE id BETWEEN 500 AND 900;
CREATE TABLE few (id int PRIMARY KEY, note text);
INSERT INTO few VALUES (1, 'one');
CREATE TABLE tides (id int, note text) PARTITION BY RANGE (id);
CREATE TABLE tides_low PARTITION OF tides FOR VALUES FROM (0) TO (1000);
CREATE TABLE tides_high PARTITION OF tides FOR VALUES FROM (1000) TO (9000);
INSERT INTO tides SELECT i, repeat('t', 90) FROM generate_series(1, 1500) i;
"""


@pytest.fixture
def live(scratch: Scratch, database: Callable[..., str]) -> str:
    return scratch.dsn(database(SCHEMA))


def segment_of(source: LiveSource, table: str) -> LiveSegment:
    [found] = source.segments(TableName("public", table), ["id", "note"])
    assert isinstance(found, LiveSegment)
    return found


def sent(segment: LiveSegment) -> SentSegment:
    """The segment as another process has it."""
    found = pickle.loads(pickle.dumps(segment.sent()))  # noqa: S301 - written just now
    assert isinstance(found, SentSegment)
    return found


@pytest.mark.parametrize(("table", "least"), [("berths", 4), ("few", 1), ("tides", 4)])
def test_the_parts_are_all_rows(table: str, least: int, live: str) -> None:
    with LiveSource(live) as source:
        segment = segment_of(source, table)
        whole = b"".join(map(bytes, segment.blocks()))
        cuts = segment.cuts(50_000)
        assert len(cuts) >= least
        there = sent(segment)
        found = b""
        for cut in cuts:
            found += b"".join(map(bytes, there.part(cut).blocks()))
        there.abandon()
    assert sorted(found.splitlines()) == sorted(whole.splitlines())


def test_only_what_is_a_range_is_planned_as_one(live: str) -> None:
    with LiveSource(live) as source:
        there = sent(segment_of(source, "berths"))
        cuts = segment_of(source, "berths").cuts(50_000)
        tasks = [there.part(cut)._task() for cut in cuts]
        assert all("enable_seqscan" in task.pins and "ctid" in task.statement for task in tasks)
        [cut] = segment_of(source, "few").cuts(50_000)
        alone = sent(segment_of(source, "few")).part(cut)._task()
        assert "enable_seqscan" not in alone.pins
        assert "ctid" not in alone.statement
        assert "enable_seqscan" not in there._task().pins


def test_ranges_are_planned_without_the_rest_of_the_table(live: str) -> None:
    with LiveSource(live) as source, source.connect() as session, session.transaction():
        for name, value in pages.SETTINGS.items():
            session.execute(f"SET LOCAL {name} = {value}".encode())
        where = pages.condition(2, 5)
        plan = session.execute(f"EXPLAIN SELECT id FROM ONLY berths WHERE {where}".encode())
        assert "Tid Range Scan" in str(plan.fetchall())


def test_who_may_read_some_columns_reads_it_whole(
    scratch: Scratch, database: Callable[..., str]
) -> None:
    name = database(SCHEMA)
    scratch.run(
        name,
        "CREATE ROLE pilot LOGIN; GRANT SELECT (id, note) ON berths TO pilot",
    )
    try:
        with LiveSource(scratch.dsn(name).replace("postgres@", "pilot@")) as source:
            assert segment_of(source, "berths").cuts(50_000) == [()]
    finally:
        scratch.run(name, "DROP OWNED BY pilot; DROP ROLE pilot")
