"""What we have: either side, a dump or a database, behind one shape (`source.Source`).

The names are loaded when they are used: who reads a case needs neither side's reader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.loading import lazily

if TYPE_CHECKING:
    from forensics.evidence.opening import (
        as_database,
        file_of,
        looks_like_dsn,
        open_both,
        open_source,
        sides_of,
    )
    from forensics.evidence.source import Contents, Segment, Source

__all__ = [
    "Contents",
    "Segment",
    "Source",
    "as_database",
    "file_of",
    "looks_like_dsn",
    "open_both",
    "open_source",
    "sides_of",
]

_HOMES = {
    "Contents": "source",
    "Segment": "source",
    "Source": "source",
    "as_database": "opening",
    "file_of": "opening",
    "looks_like_dsn": "opening",
    "open_both": "opening",
    "open_source": "opening",
    "sides_of": "opening",
}

__getattr__ = lazily(__name__, _HOMES)
