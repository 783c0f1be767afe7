"""How many of a table's missing rows live holds elsewhere, so that they are not lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from forensics.model import TableName
from forensics.store import Store, tables_of


@dataclass(frozen=True)
class Held:
    """Missing rows that live holds elsewhere.

    Attributes:
        kind: "moved" or "superseded".
        rows: how many; None where that is not known.
    """

    kind: str
    rows: int | None


def held_elsewhere(store: Store) -> dict[TableName, Held]:
    """The tables of which live holds missing rows elsewhere, by name."""
    found = _links(store)
    for finding in store.get("findings") or ():
        if finding["kind"] == "renamed table":
            found[TableName(**finding["name"])] = Held("moved", finding["rows"])
    return {**_rows(store), **found}


def unclassified(store: Store, names: Iterable[TableName]) -> set[TableName]:
    """Those of some tables of which it is not known what live holds elsewhere."""
    loss = store.get("loss")
    if loss is None or loss.get("reason"):
        return set(names)
    unknown = {name for name, held in _links(store).items() if held.rows is None}
    unknown.update(TableName(one["schema"], one["table"]) for one in loss.get("failed") or ())
    return unknown.intersection(names)


def _links(store: Store) -> dict[TableName, Held]:
    """Those of which `loss` says it."""
    found = {}
    for junction in (store.get("loss") or {}).get("junctions", ()):
        superseded, moved = junction["superseded"], junction["moved"]
        name = TableName(junction["schema"], junction["table"])
        if superseded is None or moved is None:
            found[name] = Held("superseded", None)
        else:
            found[name] = Held("moved" if moved else "superseded", superseded + moved)
    return found


def _rows(store: Store) -> dict[TableName, Held]:
    """Those whose rows were found under other keys, or in other tables of their family."""
    found = {}
    with store.query() as cursor:
        known = tables_of(cursor)
        for result in store.results():
            table = f"elsewhere.rows_{store.number(result.name)}"
            if table not in known:
                continue
            rows = f"SELECT count(*), any_value(class) FROM {table} WHERE equal"
            [(number, kind)] = cursor.execute(rows).fetchall()
            found[result.name] = Held(kind or "superseded", number)
    return found
