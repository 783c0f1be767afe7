"""Keys that were used again or given anew: which row of live is the one that a key named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from forensics.loss.sql import numbered, prefixed, present, renamed, same
from forensics.model import TableName
from forensics.store import Store

# Before a key whose row live holds no longer while another row has the key. No value of
# PostgreSQL's holds the character, so nothing of live is equal to it.
GONE = "chr(0)"


@dataclass(frozen=True)
class Reused:
    """A table whose keys were used again, or whose rows live on under other keys.

    Attributes:
        number: of the table in the case.
        whole: whether all of live's rows are others.
        again: whether keys were used again.
        anew: by columns that name its rows, the case's table (o0, …, k0, …) of what those of
            rows that live on under another key held, and hold now.
    """

    name: TableName
    number: int
    whole: bool
    again: bool = True
    anew: Mapping[tuple[str, ...], str] = field(default_factory=dict)


def used_again(store: Store) -> dict[TableName, Reused]:
    """The tables of a case whose keys were used again, by name."""
    found = {}
    for fact in store.get("used_again") or ():
        name = TableName(**fact["name"])
        found[name] = Reused(name, fact["number"], fact["whole"])
    return found


def followed(store: Store) -> dict[TableName, Reused]:
    """The tables of a case that links are followed to, by name.

    Those whose keys were used again, and those whose rows live on under other keys.
    """
    found = used_again(store)
    for fact in store.get("keys_anew") or ():
        name = TableName(**fact["name"])
        one = found.get(name) or Reused(name, fact["number"], False, again=False)
        anew = {**one.anew, tuple(fact["columns"]): fact["table"]}
        found[name] = replace(one, anew=anew)
    return found


def keys_now(
    store: Store, parent: Reused, columns: Sequence[str], now: Sequence[str]
) -> str | None:
    """A query for what became of keys: k0, … of the backup, and n0, … of the same row in live.

    NULL where live holds it no longer. Keys of which nothing is known beyond what is missing
    are left out. `likely0`, … is the key of a row that is probably the same.

    Args:
        store: the case.
        parent: the table, which is no other one as a whole.
        columns, now: those of the key in the backup, and in live.
    """
    parts = []
    if parent.again:
        again = _keys_used_again(store, parent, columns, now)
        if again is None:
            return None
        parts.append(again)
    anew = parent.anew.get(tuple(columns)) if tuple(columns) == tuple(now) else None
    if anew:
        parts.append(_keys_anew(anew, len(columns), parts))
    return " UNION ALL ".join(parts) or None


def _keys_anew(anew: str, width: int, before: Sequence[str]) -> str:
    """A query for the new keys of rows that live on, but for keys that another one answers."""
    old, new = numbered("o", width), numbered("k", width)
    likely = renamed(["NULL"] * width, "likely")
    query = f"SELECT {renamed(old, 'k')}, {renamed(new, 'n')}, {likely} FROM {anew} e"
    for other in before:
        on = same(prefixed("b", new), prefixed("e", old))
        query += f" WHERE NOT EXISTS (SELECT 1 FROM ({other}) b WHERE {on})"
    return query


def _keys_used_again(
    store: Store, parent: Reused, columns: Sequence[str], now: Sequence[str]
) -> str | None:
    ours = _fields(store, parent.name, "backup", columns)
    theirs = _fields(store, parent.name, "live", now)
    if ours is None or theirs is None:
        return None
    number = parent.number
    keys = renamed([f"b.{field}" for field in ours], "k")
    found = renamed([f"l.{field}" for field in theirs], "n")
    likely = renamed([f"y.{field}" for field in theirs], "likely")
    whole = present([f"b.{field}" for field in ours])
    return f"""
        SELECT {keys}, {found}, {likely}
          FROM again.rows_{number} a JOIN rows.backup_{number} b ON b.pair = a.pair
          LEFT JOIN rows.live_{number} l ON l.pair = a.live_pair
          LEFT JOIN rows.live_{number} y ON y.pair = a.likely
         WHERE (a.taken OR a.live_pair IS NOT NULL) AND {whole}
    """


def new_keys(
    store: Store, parent: Reused, columns: Sequence[str], fields: Sequence[str]
) -> str | None:
    """The condition that fields in the backup's keys name a row that live alone has.

    Args:
        store: the case.
        parent: the table.
        columns: its key.
        fields: what names it.
    """
    ours = _fields(store, parent.name, "backup", columns)
    theirs = _fields(store, parent.name, "live", columns)
    if not ours or not theirs or len(ours) != len(fields):
        return None
    number = parent.number
    there = same([f"now.{field}" for field in theirs], fields)
    was = same([f"was.{field}" for field in ours], fields)
    return (
        f"EXISTS (SELECT 1 FROM rows.live_{number} now WHERE {there}) "
        f"AND NOT EXISTS (SELECT 1 FROM rows.backup_{number} was WHERE {was})"
    )


def _fields(store: Store, name: TableName, side: str, columns: Sequence[str]) -> list[str] | None:
    held = store.columns(name, side)
    if not set(columns) <= set(held):
        return None
    return [f"f{held.index(column)}" for column in columns]


def gone(field: str) -> str:
    """The condition that a translated field names a row that is gone."""
    return f"starts_with({field}, {GONE})"


def marked(field: str) -> str:
    """A field that is to name no row of live."""
    return f"{GONE} || {field}"


def reason(name: TableName) -> str:
    """Why a link is blocked, in words."""
    return f"another row stands under the key of the row of {name} that it refers to"


def never_held(name: TableName) -> str:
    """Why a link to what the backup does not hold is blocked, in words."""
    return f"it refers to a row of {name} that the backup does not hold either"
