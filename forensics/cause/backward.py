"""Migrations that were taken back since the backup, where a file has the way back.

Of Alembic's: its history keeps the newest revision alone, and `downgrade FROM:TO --sql` prints what
took the others back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from forensics.evidence.migrations import HistoryEntry, Migration

Entries = Mapping[str, Sequence[HistoryEntry]]


@dataclass(frozen=True)
class Backward:
    """What ran backward between backup and live.

    Attributes:
        ways: the names of the migrations that did it.
        undone: what they took back, as the history calls it.
        entries: both histories, of which the backup's has what it came back to.
    """

    ways: frozenset[str]
    undone: frozenset[str]
    entries: Entries


def backward(entries: Entries, files: Sequence[Migration]) -> Backward:
    """Follow the ways back from what the backup was at to what live is at."""
    before, after = _newest(entries["backup"]), _newest(entries["live"])
    walk = _Walk({file.takes_back: file for file in files if file.takes_back}, after)
    walk.go(sorted(before - after))
    if not walk.arrived:
        return Backward(frozenset(), frozenset(), entries)
    back_at = [one for one in entries["live"] if one.name in walk.reached - before]
    seen = {**entries, "backup": [*entries["backup"], *back_at]}
    return Backward(frozenset(walk.ways.values()), frozenset(walk.ways), seen)


class _Walk:
    """The ways that were gone, by what they took back, and what of live they came to."""

    def __init__(self, known: Mapping[str | None, Migration], after: Set[str]) -> None:
        self._known, self._after = known, after
        self.ways: dict[str, str] = {}
        self.reached: set[str] = set()
        self._ended = False  # a way leads to nothing, where no migration is left

    @property
    def arrived(self) -> bool:
        """Whether it came to where live is."""
        return bool(self.reached) or (self._ended and not self._after)

    def go(self, left: list[str]) -> None:
        """Go back from some migrations as far as there are ways."""
        while left:
            taken = left.pop(0)
            way = self._known.get(taken)
            if way is None or way.part is None or taken in self.ways:
                continue
            self.ways[taken] = way.name
            to = way.part.after or ()
            self._ended = self._ended or not to
            self.reached |= self._after & {*to}
            left += [one for one in to if one not in self._after]


def _newest(entries: Sequence[HistoryEntry]) -> set[str]:
    """The migrations that a history names of which it keeps the newest alone."""
    return {entry.name for entry in entries if entry.replaced}
