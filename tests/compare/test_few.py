"""Few rows in memory: the same answers as from DuckDB, which the same rows are given."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import duckdb
import pyarrow as pa
import pytest

from forensics.compare.engines import few
from forensics.compare.engines.duckdb import DuckDB
from forensics.compare.engines.few import Few
from forensics.compare.lines import LINES
from forensics.compare.rows import Counts, Engine, Found
from forensics.evidence.arrays import numbers, texts

COLUMNS = ("id", "name", "amount")
Row = tuple[int, str, str | None]


@pytest.fixture
def case() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA rows")
        yield connection


def _batches(rows: Sequence[Row]) -> Iterator[pa.RecordBatch]:
    """In two batches, as rows that were read may be."""
    for some in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
        raws = pa.array([raw for _, _, raw in some], pa.large_string())
        arrays = [numbers([at for at, _, _ in some]), texts([line for _, line, _ in some]), raws]
        yield pa.record_batch(arrays, schema=LINES)


def _among(keys: Sequence[Row], wanted: Iterable[pa.Array]) -> Iterator[pa.RecordBatch]:
    """Those keys that are wanted, and one that is not: whoever asks has to look."""
    known = {key for some in wanted for key in some.to_pylist()}
    yield from _batches([row for row in keys if row[1] in known or row == keys[0]])


def _lines(fields: Sequence[tuple[str, ...]], *, kept: bool) -> list[Row]:
    """Rows at their positions; where `kept`, they are kept otherwise than they are compared."""
    found: list[Row] = []
    at = 0
    for row in fields:
        line = "\t".join(row) + "\n"
        found.append((at, line, f"{row[0]}\t{row[1]}!\t{row[2]}\n" if kept else None))
        at += len(line)
    return found


def _answers(
    engine: Engine,
    case: duckdb.DuckDBPyConnection,
    ours: Sequence[Row],
    theirs: Sequence[Row],
    key: Sequence[str],
) -> list[object]:
    """All that an engine says of two sides, and what it writes of them."""
    engine.differ(_batches(ours), _batches(theirs), as_multiset=not key)
    positions = engine.backup_positions()
    live = engine.live_rows()
    odd = [row for row in ours if row[0] in set(positions.tolist())]
    same = engine.take_backup(_batches(odd))
    keys_among = None
    if key and len(odd) < len(ours) and odd:
        places = [COLUMNS.index(column) for column in key]
        lines: list[Row] = []
        for at, line, _ in ours:
            fields = line.rstrip("\n").split("\t")
            lines.append((at, "\t".join(fields[place] for place in places) + "\n", None))
        keys_among = partial(_among, lines)
    found = engine.match(COLUMNS, key, keys_among)
    said: list[object] = [positions.tolist(), live, same, found.backup, found.live]
    said += [found.repeated, found.live_repeats]
    if not found.live_repeats:
        counts = Counts(0, 0, 0, 0, found.changed, 0)
        sides = {"backup": COLUMNS, "live": COLUMNS}
        kept = Found(counts, COLUMNS, sides, found.rows)
        said += [found.changed, engine.count_in_scale_only(kept, ["amount"])]
        engine.keep(1, kept)
        for side in sides:
            rows = case.execute(f"SELECT * FROM rows.{side}_1 ORDER BY ALL").fetchall()
            said.append(_unnumbered(rows) if not key else rows)
    engine.clean()
    return said


def _unnumbered(rows: Sequence[tuple[object, ...]]) -> list[str]:
    """Of equal rows, whichever is left over may be kept."""
    return sorted(str(row[1:]) for row in rows)


@pytest.mark.parametrize("key", [(), ("id",), ("id", "name"), ("amount",)])
@pytest.mark.parametrize("kept", [False, True])
def test_it_says_what_duckdb_says(
    case: duckdb.DuckDBPyConnection, key: tuple[str, ...], kept: bool
) -> None:
    chance = random.Random(f"{key} {kept}")
    names = ["a", "\\N", "ü\\tb", "", "\\\\", "z"]
    amounts = ["1.5", "1.50", "1.500", "2", "2.0", "20", "\\N"]
    plain, quick = DuckDB(case, 0), Few(DuckDB(case, 1))
    for _ in range(12):
        most = chance.choice([3, 8, 60])
        sides = []
        for _ in range(2):
            rows = []
            for _ in range(chance.randrange(9)):
                row = (str(chance.randrange(most)), chance.choice(names), chance.choice(amounts))
                rows.append(row)
            sides.append(_lines(rows, kept=kept))
        expected = _answers(plain, case, *sides, key)
        assert _answers(quick, case, *sides, key) == expected, sides


def test_many_rows_go_to_the_engine_behind(
    case: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(few, "_FEW_BYTES", 2000)
    asked: list[int] = []
    positions = DuckDB.backup_positions

    def noted(self: DuckDB) -> object:
        asked.append(1)
        return positions(self)

    monkeypatch.setattr(DuckDB, "backup_positions", noted)
    engine = Few(DuckDB(case, 0))
    many = _lines([(str(n), "a", "1") for n in range(500)], kept=False)
    some = _lines([(str(n), "a", "1") for n in range(0, 500, 2)], kept=False)
    found = _answers(engine, case, many, some, ("id",))
    assert (asked, found[3], found[4]) == ([1], 250, 0)
    found = _answers(engine, case, many[:4], some[:4], ("id",))  # and few again, after many
    assert (asked, found[3], found[4]) == ([1], 2, 2)


def test_a_key_of_another_row_that_is_equal_on_both_sides_is_repeated(
    case: duckdb.DuckDBPyConnection,
) -> None:
    engine = Few(DuckDB(case, 0))
    ours = _lines([("1", "a", "1"), ("1", "b", "1"), ("2", "c", "1")], kept=False)
    theirs = _lines([("1", "a", "1")], kept=False)
    engine.differ(_batches(ours), _batches(theirs), as_multiset=False)
    odd = ours[1:]
    assert engine.take_backup(_batches(odd)) == 2
    keys: list[Row] = [(0, "1\n", None), (6, "1\n", None), (12, "2\n", None)]
    found = engine.match(COLUMNS, ("id",), partial(_among, keys))
    assert (found.backup, found.repeated, found.changed) == (1, 1, 0)
