"""What inspecting a backup found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from forensics.evidence.garbling import Garbled
from forensics.evidence.migrations import HistoryEntry
from forensics.model import Provenance, Sequence, Table

# A level ("stop", "mind", "note") and a sentence.
Finding = tuple[str, str]


@dataclass(frozen=True)
class Held:
    """One table of a backup.

    Attributes:
        rows: how many could be read; None where nothing was counted.
        newest: the latest of the table's own audit timestamps, as its text says it.
        problem: why its rows cannot be relied on, or None.
        garbled: how many of its rows hold garbled text; None where none was read.
        unread: whether the problem is that its rows were not read to their end, and no damage.
    """

    table: Table
    data: bool
    bytes: int | None
    rows: int | None
    newest: str | None
    problem: str | None
    garbled: Garbled | None = None
    unread: bool = False


@dataclass(frozen=True)
class Inspection:
    """What inspecting a backup found.

    Attributes:
        history: the migrations that ran, as it says; None where that is not known, and then
            `unread_history` says why.
        newest: the latest audit timestamp in all tables: the backup was not taken before it.
        counted: whether rows were read.
        end_is_open: whether nothing tells that it is there to its end, though it is not cut.
        hidden: tables that row-level security may have hidden rows of.
        garbled: how many rows hold garbled text; None where none does or none was read.
        findings: what one reads aloud.
    """

    provenance: Provenance
    damage: str | None
    tables: tuple[Held, ...]
    sequences: tuple[Sequence, ...]
    extensions: tuple[str, ...]
    large_objects: int | None
    history: tuple[HistoryEntry, ...] | None
    unread_history: str | None
    newest: str | None
    counted: bool
    end_is_open: bool
    hidden: tuple[str, ...]
    garbled: Garbled | None
    findings: tuple[Finding, ...]

    @property
    def problem(self) -> str | None:
        """Why the backup is not whole, as far as was looked, or None."""
        if self.damage is not None:
            return self.damage
        for held in self.tables:
            if held.problem and not held.unread:
                return held.problem
        return None

    @property
    def unread(self) -> str | None:
        """Why some rows were not read, though nothing says that they are damaged, or None."""
        for held in self.tables:
            if held.problem and held.unread:
                return held.problem
        return None

    @property
    def whole(self) -> bool | None:
        """Whether the backup is complete and every table's rows could be read.

        That is as far as was looked; None where it may lack rows, its text is not what was
        dumped, or not all of it was read, and nothing tells for sure.
        """
        if self.problem is not None:
            return False
        if self.unread or self.hidden or self.garbled_on_its_way:
            return None
        return True

    @property
    def garbled_on_its_way(self) -> bool:
        """Whether its text was probably garbled after it was dumped.

        An archive's cannot be: what is odd in it was so in the database.
        """
        if self.garbled is None or self.provenance.kind != "plain":
            return False
        return self.garbled.throughout

    @property
    def verdict(self) -> str:
        """Whether the backup is whole, in a sentence."""
        tables = sum(held.data for held in self.tables)
        said = f"{tables} tables with data"
        if self.counted:
            rows = sum(held.rows or 0 for held in self.tables)
            said = f"{said}, {rows:,} rows"
        if self.garbled_on_its_way:
            return f"The backup's text is garbled: {self.garbled}. It holds {said}."
        if self.whole is None and self.unread:
            return f"Not all of the backup was read: {self.unread}. It holds {said} and more."
        if self.whole is None:
            return f"The backup may lack rows of {', '.join(self.hidden)}. It holds {said}."
        if not self.whole:
            return f"The backup is NOT whole: {self.problem}. It holds {said}."
        if not tables:
            return "The backup is whole, and holds no rows: it cannot say what was lost."
        if not self.counted:
            return f"The backup is whole, as far as its table of contents says: {said}."
        if self.end_is_open:
            return f"The backup is whole, as far as its text tells: {said}."
        return f"The backup is whole: {said}."

    @property
    def last_migration(self) -> HistoryEntry | None:
        """The newest migration that the backup says was applied to it, where that is known."""
        applied = [entry for entry in self.history or () if entry.in_force and entry.applied_at]
        return max(applied, key=_applied_at, default=None)


def _applied_at(entry: HistoryEntry) -> datetime:
    assert entry.applied_at
    return entry.applied_at
