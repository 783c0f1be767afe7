"""Small tables are read once, and what is cut out of them is what DuckDB would read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from forensics.errors import BackupError
from forensics.loss import shelf
from forensics.loss.shelf import Shelf
from forensics.model import Column, Table, TableName, TableResult
from tests.conftest import Incident

NAME = TableName("public", "t")
BEFORE = r"""
CREATE TABLE artists (code text PRIMARY KEY, name text, note text);
CREATE TABLE songs (id int PRIMARY KEY, title text, code text);
CREATE TABLE artist_songs (artist text REFERENCES artists, song int REFERENCES songs, n int,
    PRIMARY KEY (artist, song));
INSERT INTO artists VALUES (E'a\tb', E'two\nlines', NULL), (E'\\N', 'not null', E'\\'),
    ('', E'C:\\new', ''), (E'c\rd', 'ä', E'\b');
INSERT INTO songs SELECT i, 'song ' || i, CASE WHEN i < 4 THEN E'a\tb' END
    FROM generate_series(1, 9) i;
INSERT INTO artist_songs SELECT a.code, id, id FROM artists a, songs;
"""
CHANGE = "DELETE FROM artist_songs WHERE song > 4; UPDATE songs SET code = E'\\\\N' WHERE id > 6"


@pytest.fixture(params=["read once", "read as they are wanted"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param != "read once":
        monkeypatch.setattr(shelf, "_FEW_ROWS", -1)
    return str(request.param)


found: dict[str, Any] = {}


def test_what_is_lost_does_not_hang_on_how_it_is_read(way: str, incident: Incident) -> None:
    incident.happens(BEFORE, CHANGE)
    with incident.compare() as case:
        loss = json.loads((Path(case.folder) / "loss.json").read_text())
        worst = case.junction("artist_songs").by_parent("artists")
        shown = sorted(map(str, worst[["label", "lost"]].to_numpy().tolist()))
    window = loss.pop("window")
    found[way] = loss, window["unobservable"], shown
    assert loss["totals"]["lost"] == 20
    assert shown[0] == str(["C:\\new", 5])
    assert all(one == found[way] for one in found.values())


# --- by itself ------------------------------------------------------------------------------------


class _Source:
    """A side of one table; it tells what was asked of it, and refuses a column."""

    def __init__(self, text: bytes, refused: str = "", *, beside: bool = True) -> None:
        self._text, self._refused, self.is_beside = text, refused, beside
        self.asked: list[tuple[str, ...]] = []
        columns = tuple(Column(name, "text") for name in ("a", "b", "c"))
        table = Table(NAME, "table", columns=columns)
        self.catalog = SimpleNamespace(tables={NAME: table})

    def segments(self, name: TableName, columns: Sequence[str]) -> list[Any]:
        assert name == NAME
        self.asked.append(tuple(columns))
        if self._refused in columns:
            raise BackupError("permission denied")
        return [SimpleNamespace(columns=tuple(columns), blocks=lambda: [self._text])]


def rows(source: _Source, *wanted: str, number: int = 2) -> list[list[Any] | None]:
    told: list[int] = []
    result = TableResult(NAME, "compared", backup_rows=number, live_rows=number)
    sides: Any = {"backup": source, "live": source}
    held = Shelf(sides, {NAME: result}, lambda _, count: told.append(count))
    cut = [held.rows("live", NAME, tuple(columns)) for columns in wanted]
    assert sum(told) in (0, number)
    return [None if one is None else one.to_pydict() and one.to_pylist() for one in cut]


def test_a_table_is_asked_for_once() -> None:
    source = _Source(b"1\t\\N\tx\\\\N\n2\t\tz\\ty\n")
    ab, ca = rows(source, "ab", "ca")
    assert ab == [{"c0": "1", "c1": None}, {"c0": "2", "c1": ""}]
    assert ca == [{"c0": "x\\N", "c1": "1"}, {"c0": "z\ty", "c1": "2"}]
    assert source.asked == [("a", "b", "c")]


def test_what_is_large_or_cannot_be_read_whole_is_none_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert rows(_Source(b"1\t2\t3\n", refused="c"), "ab") == [None]
    assert rows(_Source(b"1\t2\n"), "ab") == [None]  # fewer fields than columns
    assert rows(_Source(b"1\t2\t3\n"), "aa", "") == [None, None]
    many = _Source(b"1\t2\t3\n")
    assert rows(many, "ab", number=10**6) == [None]
    assert not many.asked
    monkeypatch.setattr(shelf, "_FEW_FAR", 5)
    assert rows(_Source(b"1\t2\t3\n", beside=False), "ab") == [None]
    assert rows(_Source(b"1\t2\t3\n"), "ab", number=1) != [None]
    monkeypatch.setattr(shelf, "_FEW_BYTES", 5)
    assert rows(_Source(b"1\t2\t3\n"), "ab") == [None]
