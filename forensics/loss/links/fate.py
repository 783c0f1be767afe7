"""What became of the missing links of one junction table."""

from __future__ import annotations

from dataclasses import dataclass, field

from forensics.loss.fates import CLASSES, LOST
from forensics.loss.junctions import Junction
from forensics.loss.moved import Place
from forensics.model import Parent


@dataclass
class Fate:
    """What became of the missing links of a junction table.

    Attributes:
        junction: the table.
        counts: missing rows by class.
        places: where moved links are.
        blocked_by: missing rows by the parent table that is gone from live for them;
            one row may count twice.
        conflicts: missing rows by the key or constraint of live that they collide with.
        gone: by parent, how its gone keys are known: a working table (k0, …), "all", or
            None where none is gone.
        never: by parent, working tables (k0, …) of keys that neither side has.
        holders: by parent, working tables (k0, …) of its rows that hold links
            elsewhere.
        overwritten: rows under the same key whose link live holds nowhere.
        overwritten_links: a working table (w0, …, n) of their links as the backup has them, and
            how often each; None where there are none.
        notes: what could not be looked at, in words.
    """

    junction: Junction
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CLASSES, 0))
    places: list[Place] = field(default_factory=list)
    blocked_by: dict[str, int] = field(default_factory=dict)
    conflicts: dict[str, int] = field(default_factory=dict)
    gone: dict[Parent, str | None] = field(default_factory=dict)
    never: dict[Parent, str] = field(default_factory=dict)
    holders: dict[Parent, list[str]] = field(default_factory=dict)
    overwritten: int = 0
    overwritten_links: str | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """All missing rows."""
        return sum(self.counts.values())

    @property
    def lost(self) -> int:
        """Missing rows that live holds nowhere."""
        return sum(self.counts[name] for name in LOST)
