"""Migrations that were squashed into one: its row stands for theirs, which may be gone."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from forensics.evidence.migrations import HistoryEntry

# As Django names one that replaces others: by the first and the last of them.
_NAME = re.compile(r"(?P<app>[^.]*)\.(?P<first>\d+)_(?:.*_)?squashed_(?P<last>\d+)_")
_NUMBER = re.compile(r"(?P<app>[^.]*)\.(?P<number>\d+)_")


def unsquashed(
    entries: Mapping[str, Sequence[HistoryEntry]],
) -> dict[str, list[HistoryEntry]]:
    """Both histories, with the backup's migrations called as live's that stand for them."""
    names = {entry.name for entry in entries["live"]}
    backup = []
    stood_for = set()
    for entry in entries["backup"]:
        name = None
        if entry.tool == "Django" and entry.name not in names:
            name = _standing_for(entry.name, names)
        if name:
            entry = replace(entry, name=name)
            stood_for.add(name)
        backup.append(entry)
    live = []
    for entry in entries["live"]:
        # It was noted upon what those had done, and did not run.
        live.append(replace(entry, steps=0) if entry.name in stood_for else entry)
    return {"backup": backup, "live": live}


def _standing_for(name: str, names: Collection[str]) -> str | None:
    """Which of some names stands for a migration."""
    one = _NUMBER.match(name)
    if one is None:
        return None
    for other in names:
        squashed = _NAME.match(other)
        if squashed is None or squashed["app"] != one["app"]:
            continue
        if int(squashed["first"]) <= int(one["number"]) <= int(squashed["last"]):
            return other
    return None
