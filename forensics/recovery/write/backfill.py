"""`backfill.sql`: lost links written into the place where the application now looks for them.

A migration often moves links from a junction table into an array or JSON column of a parent, and forgets the rows.
Where live's parent has such a column that the backup's had not, the links can be written there, in their order, with
the primary or first one as the cover; a value that the application wrote is never overwritten.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from forensics.model import Column, Parent, Table, quote_identifier
from forensics.recovery.choose.selection import Selection, Target, junction_parents
from forensics.recovery.write.script import provenance, start
from forensics.recovery.write.sqltext import (
    array,
    comment,
    literal,
    private_file,
    psql_text,
    writing,
)

_LIST_NAME = re.compile(
    r"galler|image|photo|picture|media|asset|_ids$|Ids$|list|items|tags|members", re.I
)
_COVER_NAME = re.compile(r"cover|primary|main|hero|thumb|featured|lead|default", re.I)
_ORDER_NAME = re.compile(r"sort|order|position|rank|index|priority|ordinal|seq", re.I)
_FLAG_NAME = re.compile(r"primary|cover|main|default|featured|hero", re.I)
_TIME_NAME = re.compile(r"created|added|uploaded|inserted", re.I)


@dataclass(frozen=True)
class Place:
    """Where a junction table's links can go.

    Attributes:
        target: the junction table.
        owner: the parent that has the column; `other` is what the links lead to.
        column: the array or JSON column, and `cover` a column for one of the links, or None.
        order: the junction's columns that put links in order, the first counting most; `flag` marks the primary one.
        links: how many links are written; at the most so many where live was not `asked` which rows have some already.
    """

    target: Target
    owner: Parent
    other: Parent
    column: Column
    cover: Column | None
    order: tuple[str, ...]
    flag: str | None
    links: int
    asked: bool = False

    @property
    def empty(self) -> str | None:
        """The column's default where that is an empty list: such a value counts as none."""
        default = (self.column.default or "").split("::")[0].strip()
        return self.column.default if default in ("'[]'", "'{}'", "ARRAY[]") else None

    @property
    def length(self) -> str:
        """The SQL for how many links the column of row `t` holds."""
        column = f"t.{quote_identifier(self.column.name)}"
        return (
            f"cardinality({column})"
            if self.column.type.endswith("[]")
            else f"{self.column.type}_array_length({column})"
        )


def places(selection: Selection) -> tuple[tuple[Place, ...], tuple[str, ...]]:
    """Find the new place of each chosen junction table's links; say of the others why there is none.

    Returns:
        The places, and notes.
    """
    backup, live = selection.store.catalogs()
    junctions = junction_parents(selection.store)
    moved = _moved_to(selection.store.get("loss"))
    found: list[Place] = []
    notes: list[str] = []
    for target in selection.targets:
        parents = [
            p
            for p in junctions.get(target.name, ())
            if len(p.columns) == 1 and len(p.parent_columns) == 1
        ]
        if len(parents) < 2 or not target.rows:
            continue
        scored = []
        for owner in parents:
            for other in parents:
                before, now = backup.tables.get(owner.name), live.tables.get(owner.name)
                if owner is other or before is None or now is None or other.name not in live.tables:
                    continue
                for column in now.columns:
                    if before.column(column.name) is None and _holds_lists(column):
                        score = _score(
                            column,
                            other,
                            (owner.name.table, column.name) in moved.get(tuple(target.name), ()),
                        )
                        if score:
                            scored.append((score, owner, other, column))
        if not scored:
            continue
        best = max(s for s, *_ in scored)
        candidates = [s for s in scored if s[0] == best]
        if len(candidates) > 1:
            names = ", ".join(f"{o.name}.{c.name}" for _, o, _, c in candidates)
            notes.append(
                f"The links of {target.name} could go to {names}: that is for people to decide."
            )
            continue
        _, owner, other, column = candidates[0]
        found.append(
            _place(
                target,
                owner,
                other,
                column,
                backup.tables[target.name],
                live.tables[owner.name],
                backup.tables[owner.name],
            )
        )
    taken = [(p.owner.name, p.column.name) for p in found]
    for place in [p for p in found if taken.count((p.owner.name, p.column.name)) > 1]:
        notes.append(
            f"The links of several tables would go to {place.owner.name}.{place.column.name}: {place.target.name} is left out."
        )
        found.remove(place)
    return tuple(found), tuple(notes)


def _moved_to(loss: Mapping[str, Any] | None) -> dict[tuple[str, ...], set[tuple[str, str]]]:
    """Where live holds links of each junction table, as the loss was classified."""
    return {
        (j["schema"], j["table"]): {(m["table"], m["column"]) for m in j.get("moved_to", ())}
        for j in (loss or {}).get("junctions", ())
    }


def _holds_lists(column: Column) -> bool:
    return column.type in ("jsonb", "json") or column.type.endswith("[]")


def _score(column: Column, other: Parent, moved: bool) -> int:
    stem = re.sub(r"_?id$", "", other.columns[0], flags=re.I).lower()
    return (
        4 * moved
        + 2 * (len(stem) > 1 and stem in column.name.lower())
        + bool(_LIST_NAME.search(column.name))
    )


def _place(
    target: Target,
    owner: Parent,
    other: Parent,
    column: Column,
    junction: Table,
    now: Table,
    before: Table,
) -> Place:
    stem = re.sub(r"_?id$", "", other.columns[0], flags=re.I).lower()
    kind = next((c.type for c in junction.columns if c.name == other.columns[0]), "")
    covers = [
        c
        for c in now.columns
        if before.column(c.name) is None and c.type == kind and _COVER_NAME.search(c.name)
    ]
    covers = [c for c in covers if stem in c.name.lower()] or covers
    linking = {owner.columns[0], other.columns[0]}
    rest = [c for c in junction.columns if c.name in target.columns and c.name not in linking]
    numbers = ("smallint", "integer", "bigint", "numeric", "real", "double precision")
    order = [c.name for c in rest if c.type.startswith(numbers) and _ORDER_NAME.search(c.name)]
    times = [c.name for c in rest if c.type.startswith("timestamp") and _TIME_NAME.search(c.name)]
    flag = next((c.name for c in rest if c.type == "boolean" and _FLAG_NAME.search(c.name)), None)
    return Place(
        target,
        owner,
        other,
        column,
        covers[0] if len(covers) == 1 else None,
        (*order[:1], *times[:1]),
        flag,
        target.rows,
    )


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
    for name, keys in (("filled", filled), ("covered", covered), ("blank", blank)):
        selection.keep(f"{name}_{n}", keys)
    found = replace(place, asked=True)
    ((links,),) = selection.ask(f"SELECT count(*) FROM ({_links(selection, found)})")
    return replace(found, links=links)


def questions(place: Place) -> tuple[str, str | None, str | None]:
    """What to ask live: the keys of the owner's rows that have a list, of those that have a cover, and of those that hold NULL under a default."""
    key, owner = quote_identifier(place.owner.parent_columns[0]), place.owner.name.sql
    column, keys = (
        quote_identifier(place.column.name),
        f"SELECT t.{key}::text AS key FROM {owner} t WHERE",
    )
    covered = (
        None
        if place.cover is None
        else f"{keys} t.{quote_identifier(place.cover.name)} IS NOT NULL"
    )
    blank = f"{keys} t.{column} IS NULL" if place.empty else None
    return f"{keys} t.{column} IS NOT NULL AND NOT ({_unfilled(place)})", covered, blank


# --- backfill.sql ---------------------------------------------------------------------------------------


def write_backfill(path: Path, selection: Selection, found: Sequence[Place]) -> None:
    """Write `backfill.sql`.

    Raises:
        RecoveryError: the file cannot be written.
    """
    with private_file(path) as out:
        print(
            "-- backfill.sql: writes lost links into the columns where the application now looks for them, in one transaction.",
            file=out,
        )
        for line in provenance(*selection.store.evidence()):
            print(line, file=out)
        print(
            "-- No value that the application wrote is overwritten. It can run twice. undo_backfill.sql takes it back.",
            file=out,
        )
        print("--     psql -X -v ON_ERROR_STOP=1 -d YOUR_DATABASE -f backfill.sql\n", file=out)
        start(out)
        for n, place in enumerate(found, 1):
            _stage(out, selection, n, place)
            owner, key, column = (
                place.owner.name.sql,
                quote_identifier(place.owner.parent_columns[0]),
                quote_identifier(place.column.name),
            )
            cover = place.cover and quote_identifier(place.cover.name)
            more = f", {cover} = coalesce(t.{cover}, f.cover)" if cover else ""
            print(f"SELECT pg_temp.sleep({literal(owner)}) AS slept \\gset", file=out)
            filling = f"UPDATE {owner} t SET {column} = f.list{more} FROM pg_temp.fill_{n} f WHERE t.{key} = f.owner AND {_unfilled(place, 'f.blank')}"
            print(writing(filling), file=out)
            print(
                f"\\echo {psql_text(comment(place.owner.name) + ': rows that were given links of ' + comment(place.target.name) + ':')} :written",
                file=out,
            )
        print("DO $do$ BEGIN PERFORM pg_temp.wake(); END $do$;\n\nCOMMIT;", file=out)


def write_undo_backfill(path: Path, selection: Selection, found: Sequence[Place]) -> None:
    """Write `undo_backfill.sql`: values that `backfill.sql` wrote and nobody changed since are taken out again.

    Raises:
        RecoveryError: the file cannot be written.
    """
    with private_file(path) as out:
        print(
            "-- undo_backfill.sql: takes back what backfill.sql wrote, in one transaction.",
            file=out,
        )
        for line in provenance(*selection.store.evidence()):
            print(line, file=out)
        print("-- A value that was changed since is left as it is. It can run twice.", file=out)
        print("--     psql -X -v ON_ERROR_STOP=1 -d YOUR_DATABASE -f undo_backfill.sql\n", file=out)
        start(out)
        for n, place in enumerate(found, 1):
            _stage(out, selection, n, place)
            owner, key, column = (
                place.owner.name.sql,
                quote_identifier(place.owner.parent_columns[0]),
                quote_identifier(place.column.name),
            )
            same = (
                f"t.{column}::text = f.list::text"
                if place.column.type == "json"
                else f"t.{column} = f.list"
            )
            more = ""
            if place.cover:
                cover = quote_identifier(place.cover.name)
                more = f", {cover} = CASE WHEN t.{cover} = f.cover THEN NULL ELSE t.{cover} END"
            print(f"SELECT pg_temp.sleep({literal(owner)}) AS slept \\gset", file=out)
            emptied = (
                f"CASE WHEN f.blank THEN NULL ELSE {place.empty} END" if place.empty else "NULL"
            )
            emptying = f"UPDATE {owner} t SET {column} = {emptied}{more} FROM pg_temp.fill_{n} f WHERE t.{key} = f.owner AND {same}"
            print(writing(emptying), file=out)
            print(
                f"\\echo {psql_text(comment(place.owner.name) + ': rows that were emptied again:')} :written",
                file=out,
            )
        print("DO $do$ BEGIN PERFORM pg_temp.wake(); END $do$;\n\nCOMMIT;", file=out)


def _unfilled(place: Place, blank: str | None = None) -> str:
    """The condition that owner `t` has no list: none, or the one that its column has by default; `blank` holds where it held NULL."""
    column = f"t.{quote_identifier(place.column.name)}"
    if not place.empty:
        return f"{column} IS NULL"
    empty = (
        f"{column}::text = ({place.empty})::text"
        if place.column.type == "json"
        else f"{column} = {place.empty}"
    )
    return f"CASE WHEN {blank} THEN {column} IS NULL ELSE {empty} END" if blank else empty


def _stage(out: IO[str], selection: Selection, n: int, place: Place) -> None:
    """Load the links, in order, and make of them a list for each owner."""
    live = selection.store.catalogs()[1]
    owner, other = live.tables[place.owner.name], live.tables[place.other.name]
    key, other_key = place.owner.parent_columns[0], place.other.parent_columns[0]
    print(
        f"\n-- Links of {comment(place.target.name)}: into {comment(place.owner.name)}.{comment(place.column.name)}.",
        file=out,
    )
    columns = [c for c in (owner.column(key), place.column, place.cover) if c is not None]
    for table, wanted in (
        (owner, columns),
        (other, [c for c in other.columns if c.name == other_key]),
    ):
        names, types = array([c.name for c in wanted]), array([c.type for c in wanted])
        print(
            f"SELECT pg_temp.expect_columns({literal(table.name.sql)}, {names}, {types}) AS expected \\gset",
            file=out,
        )
    print(
        f"CREATE TEMP TABLE links_{n} ON COMMIT DROP AS SELECT a.{quote_identifier(key)} AS owner, b.{quote_identifier(other_key)} AS other, "
        f"0::bigint AS place, false AS cover, false AS blank FROM {owner.name.sql} a, {other.name.sql} b WITH NO DATA;",
        file=out,
    )
    print(f"COPY links_{n} (owner, other, place, cover, blank) FROM stdin;", file=out)
    for lines in selection.copy(_links(selection, place)):
        out.write(lines)
    print("\\.", file=out)
    print(
        f"DELETE FROM links_{n} l WHERE NOT EXISTS (SELECT FROM {other.name.sql} b WHERE b.{quote_identifier(other_key)} = l.other);",
        file=out,
    )
    if place.column.type.endswith("[]"):
        made = f"array_agg(other ORDER BY place)::{place.column.type}"
    else:
        made = f"jsonb_agg(to_jsonb(other) ORDER BY place)::{place.column.type}"
    print(
        f"CREATE TEMP TABLE fill_{n} ON COMMIT DROP AS SELECT owner, {made} AS list, "
        f"(array_agg(other ORDER BY place) FILTER (WHERE cover))[1] AS cover, bool_or(blank) AS blank FROM links_{n} GROUP BY owner;\nANALYZE fill_{n};",
        file=out,
    )


def _links(selection: Selection, place: Place) -> str:
    """The query of the links as COPY text: owner, other, place in the list, whether it may be the cover, whether the owner holds NULL."""
    target = place.target
    owner, other = (selection.field(target, p.columns[0]) for p in (place.owner, place.other))
    order = [
        f"TRY_CAST({selection.field(target, c)} AS DOUBLE) NULLS LAST, {selection.field(target, c)}"
        for c in place.order
    ]
    primary = f"({selection.field(target, place.flag)} IN ('t', 'true'))" if place.flag else "false"
    by_order = ", ".join([*order, "r.pair"])
    kept = f"{owner} IN (SELECT key FROM covered_{target.number})" if place.asked else "false"
    blank = f"{owner} IN (SELECT key FROM blank_{target.number})" if place.asked else "false"
    filled = f" AND {owner} NOT IN (SELECT key FROM filled_{target.number})" if place.asked else ""
    return (
        f"SELECT concat_ws(chr(9), copy_field(owner), copy_field(other), place, CASE WHEN first = 1 AND NOT kept THEN 't' ELSE 'f' END, CASE WHEN blank THEN 't' ELSE 'f' END) FROM ("
        f"SELECT {owner} AS owner, {other} AS other, {kept} AS kept, {blank} AS blank, row_number() OVER (PARTITION BY {owner} ORDER BY {by_order}) AS place, "
        f"row_number() OVER (PARTITION BY {owner} ORDER BY {primary} DESC, {by_order}) AS first "
        f"FROM {selection.rows(target)} WHERE c.class = 'restorable' AND {owner} IS NOT NULL AND {other} IS NOT NULL{filled}) ORDER BY owner, place"
    )


__all__ = ["Place", "asked", "places", "questions", "write_backfill", "write_undo_backfill"]
