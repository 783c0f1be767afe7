"""Links of a parked junction table, moved into the new column of its parent."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.model import TableName, quote_identifier
from forensics.recovery.write.backfill import Place
from forensics.recovery.write.migration.model import Kept
from forensics.recovery.write.migration.sql import inside
from forensics.recovery.write.sqltext import block, comment, quoted


def kept_links(place: Place, archive: TableName) -> Kept:
    """What is kept when links are moved."""
    owner, column = place.owner.name, place.column.name
    links = f"SELECT coalesce(sum({place.length}), 0)::bigint FROM {owner.sql} t"
    return Kept(
        what="links of a junction table",
        line=0,
        table=place.target.name,
        archive=owner,
        columns=(column,),
        after=f"{links} WHERE t.{quote_identifier(column)} IS NOT NULL",
        wanted=f"SELECT count(*) FROM {archive.sql} WHERE {_linked(place)}",
    )


def move_links(place: Place, archive: TableName) -> Iterator[str]:
    """Write links into their new column, in their order, and make sure that all arrived.

    Args:
        archive: where the junction table is parked.
    """
    column = quote_identifier(place.column.name)
    key = quote_identifier(place.owner.parent_columns[0])
    owner = quote_identifier(place.owner.columns[0])
    target, parent = comment(place.target.name), comment(place.owner.name)
    yield f"-- The links of {target}: into {parent}.{comment(place.column.name)}, in their order."
    sets, selected = f"{column} = f.list", f"{_list(place)} AS list"
    if place.cover:
        cover = quote_identifier(place.cover.name)
        sets += f", {cover} = coalesce(t.{cover}, f.cover)"
        selected += f", {_first(place)} AS cover"
    yield f"UPDATE {place.owner.name.sql} t SET {sets}"
    yield f"  FROM (SELECT l.{owner} AS owner, {selected}"
    yield f"          FROM {archive.sql} l WHERE {_linked(place)} GROUP BY l.{owner}) f"
    yield f" WHERE t.{key} = f.owner;"
    yield _all_arrived(place, archive)
    yield ""


def _linked(place: Place) -> str:
    """The condition that a row of the junction table links two things."""
    owner = quote_identifier(place.owner.columns[0])
    other = quote_identifier(place.other.columns[0])
    return f"{owner} IS NOT NULL AND {other} IS NOT NULL"


def _order(place: Place) -> str:
    return ", ".join([*(f"l.{column}" for column in quoted(place.order)), "l.ctid"])


def _list(place: Place) -> str:
    """The links of an owner, as the type of their new column."""
    return place.list_of(f"l.{quote_identifier(place.other.columns[0])}", _order(place))


def _first(place: Place) -> str:
    """The link that becomes the cover: the one that is marked as such, or the first."""
    order = _order(place)
    if place.flag:
        order = f"l.{quote_identifier(place.flag)} DESC NULLS LAST, {order}"
    return f"(array_agg(l.{quote_identifier(place.other.columns[0])} ORDER BY {order}))[1]"


def _all_arrived(place: Place, archive: TableName) -> str:
    """What stops where the links are not as many as they were."""
    column = quote_identifier(place.column.name)
    owner = f"{inside(place.owner.name)}.{inside(place.column.name)}"
    said = f"Links of {inside(place.target.name)} did not all arrive in {owner}"
    return block(
        [
            f"  IF (SELECT count(*) FROM {archive.sql} WHERE {_linked(place)})",
            f"     <> (SELECT coalesce(sum({place.length}), 0) FROM {place.owner.name.sql} t "
            f"WHERE t.{column} IS NOT NULL) THEN",
            f"    RAISE EXCEPTION '{said}';",
            "  END IF;",
        ]
    )
