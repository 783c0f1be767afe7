"""One side of one table as it is compared, and both together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from forensics.compare.fields import Canonical
from forensics.compare.keynumbers import KeyNumbers
from forensics.compare.longvalues import Long, Mark
from forensics.compare.shaping import after
from forensics.compare.zeros import Zeros
from forensics.evidence.samples import Sample
from forensics.evidence.source import Segment, Snapshot
from forensics.model import TableName


@dataclass
class Side:
    """One side of one table, and what was seen of it as its rows were read.

    Attributes:
        segments: where its rows are.
        stored: the columns of the rows that are kept, in order.
        canonical: by column, how its text is made canonical; rows are kept that way.
        casts: by column whose type has changed, what further makes its text comparable;
            rows are not kept that way.
        counted: columns that live dropped.
        values: by counted column, how many of its values are not NULL.
        rows: how many were read.
        starts: the position at which each segment begins.
        as_stored: whether rows were read without a look at them: those with an equal partner need
            none.
        odd, odd_at: rows that a walk along both sides passed without finding a partner, each with
            its line feed, and their positions, ascending; it passed all rows before `walked`.
        numbers: of its rows' keys, as far as they were kept.
        sample: of its rows, as they stand in the only segment.
        long: the table's long values.
        mark: what is done with one as rows are read; None leaves them where they stand.
    """

    segments: list[Segment]
    stored: tuple[str, ...]
    canonical: dict[str, Canonical] = field(default_factory=dict)
    casts: dict[str, Canonical] = field(default_factory=dict)
    counted: tuple[str, ...] = ()
    values: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    starts: list[int] = field(default_factory=list)
    as_stored: bool = False
    odd: list[bytes] = field(default_factory=list)
    odd_at: list[int] = field(default_factory=list)
    walked: int = 0
    numbers: KeyNumbers | None = None
    sample: Sample | None = None
    long: Long | None = None
    mark: Mark | None = None

    @property
    def comparable(self) -> dict[str, Canonical]:
        """By column, all that is done to its text before it is compared."""
        changes = dict(self.canonical)
        for column, cast in self.casts.items():
            changes[column] = after(self.canonical.get(column), cast)
        return changes

    @property
    def snapshot(self) -> Snapshot | None:
        """The moment that the rows are of, where a database holds them."""
        if not self.segments:
            return None
        return self.segments[0].snapshot

    def number_keys(self, key: Sequence[str]) -> KeyNumbers | None:
        """Have the keys of its rows kept as numbers, where they stand as they are compared."""
        self.numbers = None
        if key and len(self.segments) == 1 and self.comparable.keys().isdisjoint(key):
            [segment] = self.segments
            places = [segment.columns.index(column) for column in key]
            self.numbers = KeyNumbers(places, len(segment.columns))
        return self.numbers

    def keep_long(self) -> None:
        """Have long values written as they are read: their rows are kept."""
        if self.long:
            self.mark = self.long.keep

    @property
    def is_held(self) -> bool:
        """Whether all of its rows are in memory."""
        return all(segment.held for segment in self.segments)

    def look_closely(self) -> None:
        """Have values looked at as they are read: no row of the other side stands for them."""
        for segment in self.segments:
            segment.thorough = True

    def anew(self) -> Side:
        """The same rows, as if none had been read yet."""
        side = Side(self.segments, self.stored, self.canonical, self.casts, long=self.long)
        if self.long:
            side.mark = self.long.see
        return side

    def in_order(self, wanted: Sequence[str]) -> bool:
        """Whether every line, as it stands, holds exactly the columns that are compared."""
        return all(s.columns == tuple(wanted) for s in self.segments)


@dataclass(frozen=True)
class Sides:
    """Both sides of a table, and the columns that are compared, in order.

    `zeros` takes the sign from zeros, where the backup's lose it.
    """

    backup: Side
    live: Side
    columns: tuple[str, ...]
    zeros: Zeros = field(default_factory=lambda: Zeros(()))

    @property
    def table(self) -> TableName:
        """The table's name, for messages."""
        segments = self.backup.segments or self.live.segments
        return segments[0].table

    def anew(self) -> Sides:
        """The same rows, as if none had been read yet."""
        return Sides(self.backup.anew(), self.live.anew(), self.columns, self.zeros)
