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


def left_behind(before: Holdings, after: Holdings) -> bool:
    """Whether a row or a link is lost that no other table has got since: such a link has moved."""
    elsewhere = {(table, frozenset(ends)) for table, *ends in after.links - before.links}
    for table, *ends in before.links - after.links:
        if not any(other != table and ends_there == set(ends) for other, ends_there in elsewhere):
            return True
    return bool(before.rows - after.rows)


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


def made_again(before: Holdings, compared: Holdings, live: Holdings, now: Holdings) -> bool:
    """Whether all that undo.sql took beyond the recovery is what the application had made again.

    A row or a link of the backup that live got back before the recovery is equal to one that
    returned: nobody can tell these apart, and undo.sql takes them back, too.
    """
    for table, rows in live.text.items():
        taken = Counter(rows) - Counter(now.text[table])
        if taken - (Counter(rows) - Counter(compared.text.get(table, ()))):
            return False
        if Counter(now.text[table]) - Counter(rows):
            return False
    rows_again = not (live.rows - now.rows) - before.rows
    return rows_again and not (live.links - now.links) - before.links
