"""The SQL that is longer than a few lines: `queries/NAME.sql` of the room that asks."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_PLACE = re.compile(r"\{(\w+)\}")


@cache
def _text(room: str, name: str) -> str:
    folder = resources.files(f"forensics.recovery.{room}")
    return folder.joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")


def filled(room: str, name: str, **parts: str) -> str:
    """Return a query with what stands in its braces filled in.

    Args:
        room: the package below `forensics.recovery` that asks.
        name: the file, without `.sql`.
        parts: SQL, by the words in braces. What they hold is not filled again.
    """
    return _PLACE.sub(lambda place: parts[place[1]], _text(room, name))
