"""Names as people type them: `hotels`, `public.hotels`, `"Odd.Schema"."Mixed"`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

from forensics.errors import UnknownTableError
from forensics.model import TableName
from forensics.text import near_matches

_Thing = TypeVar("_Thing")


def spellings(name: TableName) -> tuple[str, str, str]:
    """The ways to write a table's name in full."""
    return (str(name), f"{name.schema}.{name.table}", name.sql)


def by_name(
    wanted: str, known: Iterable[tuple[TableName, _Thing]], what: str, otherwise: str
) -> _Thing:
    """Return what bears a name; a bare name is enough where only one table has it.

    Args:
        wanted: the name, as it was typed.
        known: every table's name, and what is found under it.
        what: what it is called where there is none: "table".
        otherwise: the hint where no name is near.

    Raises:
        UnknownTableError: there is none; the hint names near matches.
    """
    things = dict(known)
    bare = Counter(name.table for name in things)
    spelled: dict[str, _Thing] = {}
    for name, thing in things.items():
        for form in spellings(name):
            spelled[form] = thing
    for name, thing in things.items():
        if bare[name.table] == 1:
            spelled.setdefault(name.table, thing)
    if wanted in spelled:
        return spelled[wanted]
    every = sorted(str(name) for name in things)
    raise UnknownTableError(
        f"The case has no {what} {wanted}.", near_matches(wanted, every, otherwise)
    )
