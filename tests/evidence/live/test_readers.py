"""Statements on their way to psql: however long one is, all of it arrives."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from forensics.evidence.live.asked import AskedSegment
from forensics.evidence.live.source import LiveSource
from forensics.model import TableName
from forensics.scratch import Scratch

_OFTEN = 0.0005  # seconds
_LINES = 200_000
_PATIENCE = 30  # seconds


@pytest.fixture
def signals() -> Iterator[list[int]]:
    """Signals that arrive all the time, as those of a debugger do, or of being stopped."""
    heard: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: heard.append(number))
    signal.setitimer(signal.ITIMER_REAL, _OFTEN, _OFTEN)
    yield heard
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_a_long_statement_arrives_whole_among_signals(
    scratch: Scratch, database: Callable[..., str], signals: list[int]
) -> None:
    live = scratch.dsn(database("CREATE TABLE piers (id int)"))
    listed = ",\n".join(map(str, range(_LINES)))
    statement = f"COPY (SELECT count(*) FROM (SELECT unnest(ARRAY[{listed}])) s) TO STDOUT"
    piers = TableName("public", "piers")
    with LiveSource(live) as source:
        asked = AskedSegment(source, piers, (), statement, source.snapshot, {})
        patience = threading.Timer(_PATIENCE, source.close)  # else both sides would wait for ever
        patience.start()
        assert asked.answer() == f"{_LINES}\n"
        patience.cancel()
    assert signals
