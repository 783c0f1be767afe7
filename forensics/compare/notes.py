"""What there is to say of a table that was compared, beyond its counts."""

from __future__ import annotations

from forensics.compare.rows import Counts
from forensics.model import Table

_ABOUT_AS_MANY = (0.8, 1.25)  # of the rows that were there


def of_counts(counts: Counts) -> tuple[str, ...]:
    """What to say where no row kept its key and about as many are there as before."""
    if not counts.backup_rows or not counts.live_rows:
        return ()
    if counts.missing != counts.backup_rows or counts.added != counts.live_rows:
        return ()
    least, most = _ABOUT_AS_MANY
    if not least <= counts.live_rows / counts.backup_rows <= most:
        return ()
    return (
        "no row is found under its key and about as many are new: "
        "the keys were probably rewritten, not the rows lost",
    )


def of_history(counts: Counts) -> tuple[str, ...]:
    """What to say of a migration tool's own table."""
    if not counts.missing and not counts.changed:
        return ()
    return ("a migration tool keeps its history here: what it writes over is counted in no sum",)


def of_persistence(live: Table, counts: Counts) -> tuple[str, ...]:
    """What to say where the server itself may have emptied a table."""
    if live.persistence != "unlogged" or not counts.missing:
        return ()
    return (
        "the table is unlogged: a crash or a failover of live empties it, "
        "and then nobody deleted its rows",
    )


def of_scale(rows: int) -> tuple[str, ...]:
    """What to say of changed rows whose numbers are equal.

    Args:
        rows: how many differ only in the scale of numbers.
    """
    if not rows:
        return ()
    return (
        f"{rows} of the changed rows differ only in the scale of numbers, as 1.50 does from 1.5",
    )
