"""Few rows are held against each other in memory: they take less than a statement does.

What one table's comparison leaves over is mostly a handful of rows, and DuckDB would be asked a
dozen statements of it. More rows than `_FEW_BYTES` go to the engine behind, which says the same of
them, and writes the rows of both into the case.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forensics.compare.engines.duckdb import DuckDB
from forensics.compare.equality import Equality
from forensics.compare.lines import Batches
from forensics.compare.rows import Found, KeysAmong, Matched
from forensics.evidence.arrays import texts

_FEW_BYTES = 128 << 10  # of either side

_Key = tuple[str | None, ...]


@dataclass
class _Row:
    """A row without an equal partner: its comparable line, and the one that is kept.

    Attributes:
        partner: the number of the row of the same key on the other side, from 0; -1 without one.
    """

    line: str
    raw: str
    partner: int = -1
    key: _Key = ()


@dataclass
class _Held:
    """What is held of one table: by position the backup's lines, then the rows of both sides.

    Attributes:
        pairs: by side, the rows that are kept: number, state, line.
    """

    seen: dict[int, str]
    live: list[_Row]
    odd: dict[int, _Row] = field(default_factory=dict)
    pairs: dict[str, list[tuple[int, str, str]]] = field(default_factory=dict)


class Few:
    """An engine for tables of which few rows have no equal partner.

    Args:
        behind: the engine that takes the others.
    """

    def __init__(self, behind: DuckDB) -> None:
        self._behind = behind
        self._held: _Held | None = None

    def close(self) -> None:
        """Close the engine behind."""
        self._behind.close()

    def clean(self) -> None:
        """Forget what was found of a table."""
        self._held = None
        self._behind.clean()

    # --- rows without a partner ---------------------------------------

    def differ(self, backup: Batches, live: Batches, *, as_multiset: bool) -> None:
        """Find the rows without an equal partner, and hold on to them."""
        self._held = None
        ours, backup = _few(backup)
        theirs, live = _few(live)
        if ours is None or theirs is None:
            self._behind.differ(backup, live, as_multiset=as_multiset)
            return
        here = [line for _, line, _ in ours]
        there = [line for _, line, _ in theirs]
        lonely = _lonely
        if as_multiset:
            lonely = _surplus
        seen = {}
        for place in lonely(here, there):
            at, line, _ = ours[place]
            seen[at] = line
        rows = []
        for place in lonely(there, here):
            _, line, raw = theirs[place]
            rows.append(_Row(line, raw))
        self._held = _Held(seen, rows)

    def backup_positions(self) -> np.ndarray:
        """The positions of the backup's rows without a partner, int64, ascending."""
        if self._held is None:
            return self._behind.backup_positions()
        return np.array(sorted(self._held.seen), dtype=np.int64)

    def live_rows(self) -> int:
        """How many of live's rows have no partner."""
        if self._held is None:
            return self._behind.live_rows()
        return len(self._held.live)

    def take_backup(self, again: Batches) -> int:
        """Take in the backup's rows, whole; return how many are the rows that `differ` saw."""
        held = self._held
        if held is None:
            return self._behind.take_backup(again)
        same = 0
        for at, line, raw in _rows_of(again):
            held.odd[at] = _Row(line, raw)
            same += held.seen.get(at) == line
        return same

    # --- by key -------------------------------------------------------

    def match(
        self,
        columns: Sequence[str],
        key: Sequence[str],
        keys_among: KeysAmong | None,
        equality: Equality | None = None,
    ) -> Matched:
        """Hold the rows without a partner against each other by key."""
        held = self._held
        if held is None:
            return self._behind.match(columns, key, keys_among, equality)
        places = [columns.index(column) for column in key]
        ours = [held.odd[at] for at in sorted(held.odd)]
        theirs = sorted(held.live, key=_line_of)
        repeats = _name_keys(theirs, places)
        again = _join(ours, theirs, places)
        if equality:
            _join_equal(ours, theirs, again, equality)
        if keys_among is not None:
            again |= _stand_again(ours, again, keys_among, set(held.odd))
        changed = 0
        kept: list[tuple[int, str, str]] = []
        added: dict[int, tuple[int, str, str]] = {}
        for number, row in enumerate(ours):
            if number in again:
                continue
            state = "missing"
            if row.partner >= 0:
                state = "changed"
                changed += 1
                added[row.partner] = (number + 1, state, theirs[row.partner].raw)
            kept.append((number + 1, state, row.raw))
        for number, row in enumerate(theirs):
            added.setdefault(number, (len(ours) + number + 1, "added", row.raw))
        held.pairs = {"backup": kept, "live": [*added.values()]}
        rows = dict.fromkeys(held.pairs, "")
        return Matched(len(kept), len(theirs), changed, len(again), repeats, rows)

    # --- held to account ----------------------------------------------

    def count_differences(self, backup: Batches, live: Batches) -> tuple[int, int]:
        """Count the rows that only one side has, byte for byte, without a hash."""
        return self._behind.count_differences(backup, live)

    def count_in_scale_only(self, found: Found, numeric: Sequence[str]) -> int:
        """Count changed rows whose only difference is the scale of numbers: 1.50 for 1.5."""
        held = self._held
        if held is None:
            return self._behind.count_in_scale_only(found, numeric)
        if not numeric:
            return 0
        ours, theirs = found.columns["backup"], found.columns["live"]
        both = []
        for at, column in enumerate(theirs):
            if column in ours:
                both.append((ours.index(column), at, column in numeric))
        was = {pair: raw for pair, state, raw in held.pairs["backup"] if state == "changed"}
        number = 0
        for pair, state, raw in held.pairs["live"]:
            if state == "changed":
                number += _alike(_fields(was[pair]), _fields(raw), both)
        return number

    # --- into the case ------------------------------------------------

    def keep(self, number: int, found: Found) -> None:
        """Write the rows that differ into the case."""
        if self._held is None or not found.rows:
            self._behind.keep(number, found)
            return
        for side, columns in found.columns.items():
            self._behind.keep_rows(side, number, columns, self._held.pairs[side])

    def keep_missing(self, number: int, columns: Sequence[str], rows: Batches) -> None:
        """Write rows of a backup into the case as missing, as table `number` of it."""
        self._behind.keep_missing(number, columns, rows)

    def drop_repeated(self, number: int, columns: Sequence[str], key: Sequence[str]) -> int:
        """Take those kept rows of a backup out of the case again whose key an earlier one has."""
        return self._behind.drop_repeated(number, columns, key)


def _few(batches: Batches) -> tuple[list[tuple[int, str, str]] | None, Batches]:
    """The rows of some batches, or None where they are many; and the batches once more."""
    seen: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        seen.append(batch)
        size += batch.nbytes
        if size > _FEW_BYTES:
            return None, itertools.chain(seen, batches)
    return [*_rows_of(iter(seen))], iter(seen)


def _rows_of(batches: Batches) -> Iterator[tuple[int, str, str]]:
    """Each row's position, its comparable line, and the one that is kept."""
    for batch in batches:
        lines = batch["line"].to_pylist()
        raws = batch["raw"].to_pylist()
        for at, line, raw in zip(batch["position"].to_pylist(), lines, raws, strict=True):
            yield at, line, line if raw is None else raw


def _lonely(lines: Sequence[str], others: Sequence[str]) -> Iterator[int]:
    """Which of some lines are not among others."""
    known = set(others)
    for place, line in enumerate(lines):
        if line not in known:
            yield place


def _surplus(lines: Sequence[str], others: Sequence[str]) -> Iterator[int]:
    """Which of some lines have no partner among others: of equal ones, the last."""
    left = Counter(others)
    for place, line in enumerate(lines):
        if left[line]:
            left[line] -= 1
        else:
            yield place


def _line_of(row: _Row) -> str:
    return row.line


def _fields(line: str) -> list[str]:
    """The fields of a line, as COPY wrote them."""
    return line.rstrip("\n").split("\t")


def _name_keys(rows: Sequence[_Row], places: Sequence[int]) -> bool:
    """Give each row its key; return whether one stands twice."""
    for row in rows:
        fields = _fields(row.line)
        key: list[str | None] = []
        for place in places:
            key.append(fields[place] if place < len(fields) else None)
        row.key = tuple(key)
    return bool(places) and len({row.key for row in rows}) < len(rows)


def _join(ours: Sequence[_Row], theirs: Sequence[_Row], places: Sequence[int]) -> set[int]:
    """Give rows of one key each other's numbers; return those of ours that repeat a key."""
    _name_keys(ours, places)
    if not places:
        return set()
    numbered = {}
    for number, row in enumerate(theirs):
        if None not in row.key:
            numbered[row.key] = number
    again = set()
    first: set[_Key] = set()
    for number, row in enumerate(ours):
        if row.key in first:
            again.add(number)
            continue
        first.add(row.key)
        row.partner = numbered.get(row.key, -1)
    return again


def _keyed(rows: Sequence[_Row], but: set[int]) -> list[tuple[int, tuple[str, ...]]]:
    """The numbers and keys of rows that have a whole one, but for some."""
    found = []
    for number, row in enumerate(rows):
        key = tuple(field for field in row.key if field is not None)
        if number not in but and len(key) == len(row.key):
            found.append((number, key))
    return found


def _join_equal(
    ours: Sequence[_Row], theirs: Sequence[_Row], again: set[int], equality: Equality
) -> None:
    """Give rows each other's numbers whose keys are equal and are not the same text."""
    matched = {number for number, row in enumerate(ours) if row.partner >= 0}
    backup = _keyed(ours, matched | again)
    live = _keyed(theirs, {row.partner for row in ours})
    if backup and live:
        for mine, other in equality.pairs(backup, live):
            ours[mine].partner = other


def _stand_again(
    ours: Sequence[_Row], known: set[int], keys_among: KeysAmong, odd: set[int]
) -> set[int]:
    """Which of our rows without a partner stand under a key of another row, that live has?

    Args:
        known: those that are not asked about.
        keys_among: gives the keys of those rows of the backup that may have one of some keys.
        odd: the positions of ours.
    """
    wanted: dict[str, int] = {}
    for number, row in enumerate(ours):
        if number not in known and row.partner < 0:
            key = "\t".join(field for field in row.key if field is not None)
            wanted[f"{key}\n"] = number
    if not wanted:
        return set()
    found = set()
    sought = texts(list(wanted))
    for batch in keys_among([sought]):
        hits = batch.filter(pc.is_in(batch["line"], value_set=sought))
        for at, line, _ in _rows_of(iter([hits])):
            if at not in odd:
                found.add(wanted[line])
    return found


def _alike(was: Sequence[str], now: Sequence[str], both: Sequence[tuple[int, int, bool]]) -> bool:
    """Whether two rows are equal but for the scale of numbers.

    Args:
        both: the columns of both: where they stand on either side, and whether they hold numbers.
    """
    for ours, theirs, is_number in both:
        before, after = was[ours], now[theirs]
        if is_number:
            before, after = _unscaled(before), _unscaled(after)
        if before != after:
            return False
    return True


def _unscaled(value: str) -> str:
    """A number's text without zeros at the end of its fraction."""
    if "." not in value:
        return value
    return value.rstrip("0").rstrip(".")
