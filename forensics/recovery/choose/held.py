"""How many of a table's missing rows live holds elsewhere, so that they are not left behind."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.model import TableName
from forensics.store import Store


def left_behind(store: Store, chosen: set[TableName]) -> Iterator[tuple[TableName, int]]:
    """Yield the tables that were not chosen, with the missing rows that live holds nowhere.

    A table all of whose missing rows live on is none of them.
    """
    held = _held(store)
    for result in store.results():
        if not result.missing or result.name in chosen:
            continue
        rows = result.missing - held.get(result.name, 0)
        if rows > 0:
            yield result.name, rows


def _held(store: Store) -> dict[TableName, int]:
    found: dict[TableName, int] = {}
    for junction in (store.get("loss") or {}).get("junctions", ()):
        name = TableName(junction["schema"], junction["table"])
        found[name] = junction["superseded"] + junction["moved"]
    for finding in store.get("findings") or ():
        if finding["kind"] == "renamed table" and finding["rows"] == finding["of"]:
            found[TableName(**finding["name"])] = finding["of"]
    with store.query() as cursor:
        for result in store.results():
            table = f"rows_{store.number(result.name)}"
            there = cursor.execute(
                "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'elsewhere' "
                "AND database_name = current_database() AND table_name = ?",
                [table],
            ).fetchone()
            if result.name in found or not there or not there[0]:
                continue
            rows = f"SELECT count(*) FROM elsewhere.{table} WHERE equal"
            (found[result.name],) = cursor.execute(rows).fetchone() or (0,)
    return found
