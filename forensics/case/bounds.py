"""Tables of which the backup may hold less than there was: what is counted of them is a bound."""

from __future__ import annotations

from forensics.case.held import Held
from forensics.model import TableName
from forensics.store import Store


def may_lack_rows(store: Store) -> list[str]:
    """Return the names of the tables that row-level security may have hidden rows of."""
    found = []
    for finding in store.get("findings") or ():
        if finding["kind"] == "rows hidden":
            found.append(str(TableName(**finding["name"])))
    return found


def answered(case: Held) -> bool:
    """Whether it is known that something, or that nothing, is missing."""
    if not case.complete or case.unknown:
        return False
    return not (case.nothing_missing and may_lack_rows(case.store))
