"""Which rows of one table differ: what is computed. How it is executed is an engine's business.

Three steps. `align` pairs off what both sides hold in the same order by comparing
bytes. What is left is reduced to 128-bit hashes of whole rows, and the engine finds
those without a partner; live is read once and is never held. Only these are read a
second time, whole, and looked at by key: same key is changed, no such key is missing or
added.

Nothing here keeps a table in memory, and nothing costs a Python call for each row but
the rows that differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import numpy as np
import pyarrow as pa

from forensics.compare.equality import Equality
from forensics.compare.lines import (
    Batches,
    LeftOver,
    Progress,
    UnsoundError,
    key_lines,
    left_over,
    lines_again,
    stored_lines,
    unheard,
)
from forensics.compare.sides import Side, Sides
from forensics.errors import BackupError, CompareError, RepeatedKeyError
from forensics.model import TableName

KeysAmong = Callable[[Iterable[pa.Array]], Batches]


@dataclass(frozen=True)
class Counts:
    """What was found: rows on either side, and rows in each class.

    `repeated` are rows of the backup beyond the first of each key.
    """

    backup_rows: int
    live_rows: int
    missing: int
    added: int
    changed: int
    unchanged: int
    repeated: int = 0


@dataclass(frozen=True)
class Matched:
    """Rows without an equal partner, held against each other by key.

    Attributes:
        backup, live: how many there are of either side.
        changed: how many of them have a partner of the same key.
        repeated: rows of the backup's beyond the first of each key; `backup` leaves them out.
        live_repeats: whether the key does not tell live's apart.
        rows: by side, where the engine finds them, in words of its own.
    """

    backup: int
    live: int
    changed: int
    repeated: int
    live_repeats: bool
    rows: Mapping[str, str]


@dataclass(frozen=True)
class Found:
    """What a comparison found.

    Attributes:
        counts: of its rows.
        compared: the columns that were compared, in order.
        columns: by side, the columns of the rows that are to be kept.
        rows: by side, where the engine finds them; nothing where no row differs.
    """

    counts: Counts
    compared: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    rows: Mapping[str, str] = field(default_factory=dict)


class Afar(Protocol):
    """Rows that were read elsewhere, in place of what this process reads of both sides."""

    def left_over(self, sides: Sides, progress: Progress) -> LeftOver | None:
        """The rows of either side without a partner, as `lines.left_over` returns them."""

    def again(self, sides: Sides) -> Batches:
        """The backup's among them once more, as they are kept."""

    def key_lines(self, sides: Sides, wanted: Iterable[pa.Array]) -> Batches:
        """The keys of those rows of the backup that have one of some, as lines."""


class Engine(Protocol):
    """Executes a comparison, a table at a time. Batches are of the schema `lines.LINES`."""

    def differ(self, backup: Batches, live: Batches, *, as_multiset: bool) -> None:
        """Find the rows without an equal partner, and hold on to them.

        Of the backup's rows it keeps positions and hashes, of live's the lines.

        Args:
            backup, live: the rows of either side; live's may be read once.
            as_multiset: rows may repeat; as many as are equal on both sides are
                partners.
        """

    def backup_positions(self) -> np.ndarray:
        """The positions of the backup's rows without a partner, int64, ascending."""

    def live_rows(self) -> int:
        """How many of live's rows have no partner."""

    def take_backup(self, again: Batches) -> int:
        """Take in the backup's rows without a partner, whole.

        Returns:
            How many of them are the rows that `differ` saw, by position and hash.
        """

    def match(
        self,
        columns: Sequence[str],
        key: Sequence[str],
        keys_among: KeysAmong | None,
        equality: Equality | None = None,
    ) -> Matched:
        """Hold the rows without a partner against each other by key.

        Args:
            columns: of the comparable lines, in order.
            key: those that tell rows apart; where there are none, no row is changed.
            keys_among: gives the keys of those rows of the backup that may have one of some
                keys and have an equal partner, as lines, where there are such rows: a row
                without one may repeat their keys.
            equality: tells which keys are equal though their text differs; where there is
                none, none are.
        """

    def count_differences(self, backup: Batches, live: Batches) -> tuple[int, int]:
        """Count the rows that only one side has, byte for byte, without a hash."""

    def count_in_scale_only(self, found: Found, numeric: Sequence[str]) -> int:
        """Count changed rows whose only difference is the scale of numbers: 1.50 for 1.5.

        Args:
            found: what was found; nothing was cleaned since.
            numeric: compared columns of type numeric.
        """

    def keep(self, number: int, found: Found) -> None:
        """Write the rows that differ into the case, as table `number` of it."""

    def keep_missing(self, number: int, columns: Sequence[str], rows: Batches) -> None:
        """Write rows of a backup into the case as missing, as table `number` of it."""

    def drop_repeated(self, number: int, columns: Sequence[str], key: Sequence[str]) -> int:
        """Take those kept rows of a backup out of the case again whose key an earlier one has.

        Returns:
            How many they were.
        """

    def clean(self) -> None:
        """Forget what was found of a table."""

    def close(self) -> None:
        """Let go of what the engine holds."""


def compare(
    engine: Engine,
    sides: Sides,
    key: Sequence[str],
    progress: Progress,
    *,
    declared: bool = False,
    equality: Equality | None = None,
    afar: Afar | None = None,
) -> Found:
    """Compare a table; what was found is good until the engine is cleaned.

    Args:
        engine: to execute it with.
        sides: the table's two sides.
        key: columns that tell rows apart; empty for a multiset of whole rows.
        progress: is told of rows that were read on the live side.
        declared: whether both sides declare the key. A backup that holds one more than once
            all the same is a faulty one, and its further rows are `repeated`.
        equality: tells which keys are equal though their text differs.
        afar: the rows that have no partner, where they were found elsewhere.

    Raises:
        RepeatedKeyError: the key repeats in live, or in a backup that does not declare it.
        CompareError: the backup's rows changed while they were read.
        EvidenceError: a side could not be read to its end.
    """
    look = partial(_compare, engine, sides, key, progress, declared=declared, equality=equality)
    if afar:
        try:
            return look(as_stored=True, afar=afar)
        except (UnsoundError, BackupError):
            engine.clean()  # what is wrong with which row is told where they are read here
    try:
        return look(as_stored=True)
    except (UnsoundError, BackupError):
        if not sides.backup.as_stored:
            raise
        # What is wrong with which row is told where all of them are looked at.
        engine.clean()
        return look(as_stored=False)


def _compare(
    engine: Engine,
    sides: Sides,
    key: Sequence[str],
    progress: Progress,
    *,
    declared: bool,
    equality: Equality | None,
    as_stored: bool,
    afar: Afar | None = None,
) -> Found:
    backup, live = sides.backup, sides.live
    stored = {"backup": backup.stored, "live": live.stored}
    if afar:
        left = afar.left_over(sides, progress)
    else:
        left = left_over(sides, progress, key, as_stored=as_stored)
    if left is None:
        counts = Counts(backup.rows, live.rows, 0, 0, 0, backup.rows)
        return Found(counts, sides.columns, stored)
    with closing(left):
        engine.differ(left.backup, left.live, as_multiset=not key)
    positions = engine.backup_positions()
    _take_backup(engine, sides, positions, afar)
    paired = backup.rows - len(positions)
    unchanged = live.rows - engine.live_rows()
    keys_among = None
    if key and paired and len(positions):
        keys_among = partial(key_lines, backup, key, positions)
        if afar:
            keys_among = partial(afar.key_lines, sides)
    matched = engine.match(sides.columns, key, keys_among, equality)
    # An equal row that stands twice in the backup finds the one of live twice.
    repeated = matched.repeated + paired - unchanged
    if matched.live_repeats or paired < unchanged or (repeated and not declared):
        raise _repeats(sides.table, key)
    counts = Counts(
        backup_rows=backup.rows,
        live_rows=live.rows,
        missing=matched.backup - matched.changed,
        added=matched.live - matched.changed,
        changed=matched.changed,
        unchanged=unchanged,
        repeated=repeated,
    )
    return Found(counts, sides.columns, stored, matched.rows)


def _take_backup(engine: Engine, sides: Sides, positions: np.ndarray, afar: Afar | None) -> None:
    """Read the backup's rows that differ a second time; make sure that they are the same rows."""
    sides.backup.keep_long()
    again = lines_again(sides.backup, sides.columns, positions)
    if afar:
        again = afar.again(sides)
    same = engine.take_backup(again)
    if same != len(positions):
        table = sides.backup.segments[0].table
        raise CompareError(
            f"{len(positions) - same} rows of {table} read differently the second time.",
            "The backup changed while it was read, or its medium fails. "
            "Copy it elsewhere and compare again.",
        )


def keep_lacking(sides: Sides, wanted: set[str]) -> None:
    """Write those long values of live's rows that were left to the backup, and are in no row of it
    that is kept.

    Args:
        wanted: the marks in live's rows that are kept.
    """
    side = sides.backup.anew()
    if side.long and side.long.keep_those(wanted):
        side.mark = side.long.keep_wanted
        for _ in stored_lines(side, sides.columns, unheard):
            pass


def differences(engine: Engine, sides: Sides) -> tuple[int, int]:
    """Read both sides and count the rows that only one of them has, byte for byte.

    No hash is trusted here and nothing is paired off first, so this holds `compare` to
    account; it costs several times as much, and spills.

    Returns:
        How many rows only the backup has, and how many only live has.
    """
    return engine.count_differences(
        stored_lines(sides.backup, sides.columns, unheard),
        stored_lines(sides.live, sides.columns, unheard),
    )


def keep_all(
    engine: Engine, number: int, backup: Side, key: Sequence[str], progress: Progress
) -> Counts:
    """Keep every row of a backup's table as missing, but one of each key: live dropped it."""
    backup.keep_long()
    rows = stored_lines(backup, backup.stored, progress)
    engine.keep_missing(number, backup.stored, rows)
    repeated = 0
    if key and all(column in backup.stored for column in key):
        repeated = engine.drop_repeated(number, backup.stored, key)
    missing = backup.rows - repeated
    return Counts(backup.rows, 0, missing, added=0, changed=0, unchanged=0, repeated=repeated)


def _repeats(table: TableName, key: Sequence[str]) -> RepeatedKeyError:
    return RepeatedKeyError(
        f"Table {table}: the key ({', '.join(key)}) repeats, so it does not tell rows apart.",
        "Choose another with --key TABLE=COLUMN,COLUMN.",
    )
