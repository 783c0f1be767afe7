"""What a database holds by what its rows are, not by the keys that they stand under."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import psycopg

from tests.bulk.world import Junction, World

_NAMED = ("label", "title")


@dataclass(frozen=True)
class Holdings:
    """Rows and links by name, and how often each is there.

    Attributes:
        rows: (table, name).
        links: (table, name of one end, name of the other), an end that leads nowhere by its key.
        text: each table's rows as they are, to tell whether anything changed.
    """

    rows: Counter[tuple[str, str]]
    links: Counter[tuple[str, str, str]]
    text: dict[str, list[str]]


def holdings(connection: psycopg.Connection, world: World) -> Holdings:
    """Read what there is."""
    tables = _tables(connection)
    rows: Counter[tuple[str, str]] = Counter()
    names: dict[str, dict[str, str]] = {}
    for parent in world.parents:
        names[parent.name] = _names(connection, tables, parent.name)
        for name in names[parent.name].values():
            rows[parent.name, name] += 1
    links: Counter[tuple[str, str, str]] = Counter()
    for junction in world.junctions:
        if junction.name in tables:
            _take_links(connection, junction, names, links)
    if world.child and "items" in tables:
        for label, owner in connection.execute("SELECT label, owner::text FROM items"):
            rows["items", label] += 1
            if owner is not None:
                links["items", label, names[world.child.name].get(owner, f"? {owner}")] += 1
    text = {}
    for table in tables:
        found = connection.execute(f"SELECT t::text FROM {table} t ORDER BY 1")  # type: ignore[arg-type]
        text[table] = [line for (line,) in found]
    return Holdings(rows, links, text)


def _tables(connection: psycopg.Connection) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    query = """
        SELECT table_name::text, column_name::text FROM information_schema.columns
         WHERE table_schema = 'public' ORDER BY ordinal_position"""
    for table, column in connection.execute(query):
        found.setdefault(table, []).append(column)
    return found


def _names(
    connection: psycopg.Connection, tables: dict[str, list[str]], table: str
) -> dict[str, str]:
    """By key, what the row is called."""
    if table not in tables:
        return {}
    column = next(name for name in _NAMED if name in tables[table])
    query = f"SELECT id::text, {column} FROM {table}"
    return dict(connection.execute(query).fetchall())  # type: ignore[arg-type]


def _take_links(
    connection: psycopg.Connection,
    junction: Junction,
    names: dict[str, dict[str, str]],
    links: Counter[tuple[str, str, str]],
) -> None:
    first, second = junction.columns
    one, other = junction.parents
    query = f"SELECT {first}::text, {second}::text FROM {junction.name}"
    for a, b in connection.execute(query):  # type: ignore[arg-type]
        ends = names[one.name].get(a, f"? {a}"), names[other.name].get(b, f"? {b}")
        links[junction.name, *ends] += 1


def lost(before: Holdings, live: Holdings) -> bool:
    """Whether live holds a row or a link less than there was."""
    return bool(before.rows - live.rows) or bool(before.links - live.links)


def wrong(before: Holdings, live: Holdings, after: Holdings) -> list[str]:
    """What a recovery made that there never was, or made twice."""
    said = []
    for what, was, is_now, came in (
        ("row", before.rows, live.rows, after.rows),
        ("link", before.links, live.links, after.links),
    ):
        for thing, times in came.items():
            if times > max(was[thing], is_now[thing]):
                kind = "doubled" if was[thing] or is_now[thing] else "wrong"
                said.append(f"{kind} {what} {thing}")
    return said


def without(
    live: dict[str, list[str]], before: dict[str, list[str]], compared: dict[str, list[str]]
) -> dict[str, list[str]]:
    """What live holds without the rows that the application made again, equal to the last byte.

    Nobody can tell these from rows that returned: undo.sql takes them back, too.
    """
    found = {}
    for table, rows in live.items():
        again = set(before.get(table, ())) - set(compared.get(table, ()))
        found[table] = [row for row in rows if row not in again]
    return found
