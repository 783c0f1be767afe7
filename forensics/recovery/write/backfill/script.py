"""`backfill.sql` and `undo_backfill.sql`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO

from forensics.model import Column, Table, quote_identifier
from forensics.recovery.choose.selection import Selection
from forensics.recovery.write.backfill.links import links_of
from forensics.recovery.write.backfill.place import Place
from forensics.recovery.write.script import provenance, start
from forensics.recovery.write.sqltext import (
    array,
    comment,
    emit,
    literal,
    private_file,
    psql_text,
    writing,
)

_WAKE = "DO $do$ BEGIN PERFORM pg_temp.wake(); END $do$;"


def write_backfill(path: Path, selection: Selection, found: Sequence[Place]) -> None:
    """Write `backfill.sql`.

    Raises:
        RecoveryError: the file cannot be written.
    """
    with private_file(path) as out:
        emit(
            out,
            "-- backfill.sql: writes lost links into the columns "
            "where the application now looks for them, in one transaction.",
            *provenance(*selection.store.evidence()),
            "-- No value that the application wrote is overwritten. It can run twice. "
            "undo_backfill.sql takes it back.",
            "--     psql -X -v ON_ERROR_STOP=1 -d YOUR_DATABASE -f backfill.sql",
            "",
        )
        start(out, selection.store)
        for n, place in enumerate(found, 1):
            _stage(out, selection, n, place)
            owner, target = (
                comment(place.owner.name),
                comment(place.target.name),
            )
            said = f"{owner}: rows that were given links of {target}:"
            _write(out, place, _filling(n, place), said)
        emit(out, _WAKE, "\nCOMMIT;")


def write_undo_backfill(path: Path, selection: Selection, found: Sequence[Place]) -> None:
    """Write `undo_backfill.sql`.

    Values that `backfill.sql` wrote and nobody changed since are taken out again.

    Raises:
        RecoveryError: the file cannot be written.
    """
    with private_file(path) as out:
        emit(
            out,
            "-- undo_backfill.sql: takes back what backfill.sql wrote, in one transaction.",
            *provenance(*selection.store.evidence()),
            "-- A value that was changed since is left as it is. It can run twice.",
            "--     psql -X -v ON_ERROR_STOP=1 -d YOUR_DATABASE -f undo_backfill.sql",
            "",
        )
        start(out, selection.store)
        for n, place in enumerate(found, 1):
            _stage(out, selection, n, place)
            said = f"{comment(place.owner.name)}: rows that were emptied again:"
            _write(out, place, _emptying(n, place), said)
        emit(out, _WAKE, "\nCOMMIT;")


def _write(out: IO[str], place: Place, statement: str, said: str) -> None:
    """Write rows of the owner, and say how many."""
    owner = literal(place.owner.name.sql)
    emit(out, f"SELECT pg_temp.sleep({owner}) AS slept \\gset")
    emit(out, writing(statement))
    emit(out, f"\\echo {psql_text(said)} :written")


def _filling(n: int, place: Place) -> str:
    """The statement that fills the owner's rows that have no list."""
    sets = f"{quote_identifier(place.column.name)} = f.list"
    if place.cover:
        cover = quote_identifier(place.cover.name)
        sets += f", {cover} = coalesce(t.{cover}, f.cover)"
    return _update(n, place, sets, place.unfilled("f.blank"))


def _emptying(n: int, place: Place) -> str:
    """The statement that empties those that hold what was written."""
    column = quote_identifier(place.column.name)
    emptied = "NULL"
    if place.empty:
        emptied = f"CASE WHEN f.blank THEN NULL ELSE {place.empty} END"
    sets = f"{column} = {emptied}"
    if place.cover:
        cover = quote_identifier(place.cover.name)
        sets += f", {cover} = CASE WHEN t.{cover} = f.cover THEN NULL ELSE t.{cover} END"
    same = f"t.{column} = f.list"
    if place.column.type == "json":
        same = f"t.{column}::text = f.list::text"
    return _update(n, place, sets, same)


def _update(n: int, place: Place, sets: str, condition: str) -> str:
    key = quote_identifier(place.owner.parent_columns[0])
    rows = f"FROM pg_temp.fill_{n} f WHERE t.{key} = f.owner AND {condition}"
    return f"UPDATE {place.owner.name.sql} t SET {sets} {rows}"


def _stage(out: IO[str], selection: Selection, n: int, place: Place) -> None:
    """Load the links, in order, and make of them a list for each owner."""
    live = selection.store.catalogs()[1]
    owner, other = live.tables[place.owner.name], live.tables[place.other.name]
    column = f"{comment(place.owner.name)}.{comment(place.column.name)}"
    emit(out, f"\n-- Links of {comment(place.target.name)}: into {column}.")
    key, other_key = (
        place.owner.parent_columns[0],
        place.other.parent_columns[0],
    )
    emit(out, _expect(owner, [owner.column(key), place.column, place.cover]))
    emit(out, _expect(other, [other.column(other_key)]))
    fields = f"a.{quote_identifier(key)} AS owner, b.{quote_identifier(other_key)} AS other"
    emit(
        out,
        f"CREATE TEMP TABLE links_{n} ON COMMIT DROP AS SELECT {fields}, "
        "0::bigint AS place, false AS cover, false AS blank "
        f"FROM {owner.name.sql} a, {other.name.sql} b WITH NO DATA;",
        f"COPY links_{n} (owner, other, place, cover, blank) FROM stdin;",
    )
    for lines in selection.copy(links_of(selection, place)):
        out.write(lines)
    there = f"SELECT FROM {other.name.sql} b WHERE b.{quote_identifier(other_key)} = l.other"
    emit(
        out,
        "\\.",
        f"DELETE FROM links_{n} l WHERE NOT EXISTS ({there});",
        f"CREATE TEMP TABLE fill_{n} ON COMMIT DROP AS SELECT owner, "
        f"{place.list_of('other', 'place')} AS list, "
        "(array_agg(other ORDER BY place) FILTER (WHERE cover))[1] AS cover, "
        f"bool_or(blank) AS blank FROM links_{n} GROUP BY owner;",
        f"ANALYZE fill_{n};",
    )


def _expect(table: Table, columns: Sequence[Column | None]) -> str:
    """What stops where a table has not the columns any more that are read or written."""
    names: list[str] = []
    types: list[str] = []
    for column in columns:
        if column is not None:
            names.append(column.name)
            types.append(column.type)
    arguments = f"{literal(table.name.sql)}, {array(names)}, {array(types)}"
    return f"SELECT pg_temp.expect_columns({arguments}) AS expected \\gset"
