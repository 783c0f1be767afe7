"""What we have: either side, a dump or a database, behind one shape (`source.Source`).

The names are loaded when they are used: who reads a case needs neither side's reader.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.evidence.opening import as_database, looks_like_dsn, open_source
    from forensics.evidence.source import Contents, Segment, Source

__all__ = ["Contents", "Segment", "Source", "as_database", "looks_like_dsn", "open_source"]

_HOMES = {
    "Contents": "source",
    "Segment": "source",
    "Source": "source",
    "as_database": "opening",
    "looks_like_dsn": "opening",
    "open_source": "opening",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found
