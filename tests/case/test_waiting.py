"""What a cell shows while it works."""

from __future__ import annotations

import pytest

from forensics.case import waiting
from forensics.model import TableName


class Place:
    """Keeps what was shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.added: list[str] = []

    def show(self, text: str) -> None:
        self.shown.append(text)

    def add(self, text: str) -> None:
        self.added.append(text)


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(waiting, "time", made)
    return made


def test_what_is_quick_says_nothing(clock: Clock) -> None:
    place = Place()
    cell = waiting.Waiting(place)  # type: ignore[arg-type]
    for step in range(19):
        cell("a step", str(step))
        clock.now += 0.1
    assert place.shown == []


def test_how_long_yet_is_told_from_the_rows(clock: Clock) -> None:
    place = Place()
    cell = waiting.Waiting(place)  # type: ignore[arg-type]
    cell.begins(4, 1_000)
    clock.now += 10
    cell.rows(TableName("public", "hotels"), 250)
    (said,) = place.shown
    assert "comparing hotels" in said
    assert "0 of 4 tables, 250 of about 1,000 rows" in said
    assert "10 s so far, about 30 s to go" in said
    clock.now += 10
    cell.rows(TableName("public", "hotels"), 2_000)
    assert "2,250 of about 2,250 rows" in place.shown[-1]
    assert "to go" not in place.shown[-1]
    clock.now += 0.01
    cell.stage("classifying the missing links")
    assert "rows" not in place.shown[-1]


def test_a_warning_stays(clock: Clock) -> None:
    place = Place()
    waiting.Waiting(place).minds("Table <a> cannot be read.")  # type: ignore[arg-type]
    assert place.added == ["<p>Table &lt;a&gt; cannot be read.</p>"]


def test_outside_of_a_notebook_there_is_none() -> None:
    with waiting.waiting() as cell:
        assert cell is None
