"""The links of a junction table that are written, once live has said what it holds already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from forensics.model import quote_identifier
from forensics.recovery.choose.selection import Selection
from forensics.recovery.write.backfill.place import Place
from forensics.recovery.write.sqltext import template


def questions(place: Place) -> tuple[str, str | None, str | None]:
    """What to ask live: the keys of some of the owner's rows.

    Returns:
        The queries for those that have a list, for those that have a cover, and for those that
        hold NULL under a default; None where there is nothing to ask.
    """
    key, column = (
        quote_identifier(place.owner.parent_columns[0]),
        place.column.name,
    )
    keys = f"SELECT t.{key}::text AS key FROM {place.owner.name.sql} t WHERE"
    held = f"t.{quote_identifier(column)}"
    filled = f"{keys} {held} IS NOT NULL AND NOT ({place.unfilled()})"
    covered: str | None = None
    if place.cover is not None:
        covered = f"{keys} t.{quote_identifier(place.cover.name)} IS NOT NULL"
    blank: str | None = None
    if place.empty:
        blank = f"{keys} {held} IS NULL"
    return filled, covered, blank


def asked(
    selection: Selection,
    place: Place,
    filled: Sequence[str],
    covered: Sequence[str],
    blank: Sequence[str],
) -> Place:
    """Take account of what live holds in the new place already.

    Args:
        filled: keys of the owner's rows that have a list: they get no links.
        covered: keys of those that have a cover: they keep it.
        blank: keys of those that hold NULL where the column has a default.
    """
    n = place.target.number
    for name, keys in (
        ("filled", filled),
        ("covered", covered),
        ("blank", blank),
    ):
        selection.keep(f"{name}_{n}", keys)
    found = replace(place, asked=True)
    # Both scripts have them, and each time they are worked out takes as long as all the rest.
    selection.keep_rows(f"links_{n}", _worked_out(selection, found))
    ((links,),) = selection.ask(f"SELECT count(*) FROM links_{n}")
    return replace(found, links=links)


def links_of(selection: Selection, place: Place) -> str:
    """The query of the links that are written."""
    if place.asked:
        return f"SELECT * FROM links_{place.target.number} ORDER BY owner, place"
    return _worked_out(selection, place)


def _worked_out(selection: Selection, place: Place) -> str:
    target = place.target
    owner = selection.field(target, place.owner.columns[0])
    kept = blank = "false"
    unfilled = ""
    if place.asked:
        n = target.number
        kept = f"{owner} IN (SELECT key FROM covered_{n})"
        blank = f"{owner} IN (SELECT key FROM blank_{n})"
        unfilled = f" AND {owner} NOT IN (SELECT key FROM filled_{n})"
    primary = "false"
    if place.flag:
        primary = f"({selection.field(target, place.flag)} IN ('t', 'true'))"
    return template("links").format(
        owner=owner,
        other=selection.field(target, place.other.columns[0]),
        kept=kept,
        blank=blank,
        unfilled=unfilled,
        primary=primary,
        order=_order(selection, place),
        rows=selection.rows(target),
    )


def _order(selection: Selection, place: Place) -> str:
    """What puts links in order; where a value is no number, as text."""
    words: list[str] = []
    for column in place.order:
        field = selection.field(place.target, column)
        words += [f"TRY_CAST({field} AS DOUBLE) NULLS LAST", field]
    return ", ".join([*words, "r.pair"])
