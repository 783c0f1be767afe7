"""What the checksums that both histories keep say of each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forensics.evidence.migrations import HistoryEntry


def of_checksums(
    name: str, backup: Sequence[HistoryEntry], live: Sequence[HistoryEntry]
) -> Iterator[str]:
    """Say of a migration where it ran from files that differ."""
    ours, theirs = _checksums(backup), _checksums(live)
    if ours and theirs and ours.isdisjoint(theirs):
        yield (
            f"{name} has one checksum in the backup's history and another in live's: "
            "it was run again from another file, or edited."
        )
    if len(theirs) > 1:
        yield (
            f"{name} ran more than once, from files that differ: "
            "only the last of them can be replayed."
        )


def _checksums(entries: Sequence[HistoryEntry]) -> set[str]:
    return {entry.checksum for entry in entries if entry.checksum and entry.in_force}
