"""Which keys restorable rows refer to that live's parents do not have.

The case knows this of parents that went missing. It does not know it of those that its backup
left out, that went since it was made, or that were not there when the backup was taken; and it
compares text, where PostgreSQL takes 1.5 and 1.50 for the same key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from forensics.model import Catalog, Table, TableName, quote_identifier
from forensics.recovery.choose.selection import Keys, Link, Selection, Target
from forensics.recovery.queries import filled
from forensics.recovery.rehearse.copies import LiveCopy
from forensics.recovery.rehearse.offer import offer
from forensics.recovery.rehearse.session import Session, pinned_session, run
from forensics.recovery.relations import rows_of

Orphans = dict[tuple[TableName, Link], Keys]


def orphans(selection: Selection, copy: LiveCopy, live: Catalog) -> Orphans:
    """Find the keys that restorable rows refer to and live's parent tables do not have.

    Args:
        selection: what comes back.
        copy: live's schema with the rows of the parent tables.
        live: live's catalogue.
    """
    found: Orphans = {}
    with pinned_session(copy.scratch, copy.database) as session:
        for target in selection.targets:
            if not target.rows:
                continue
            for link in target.links:
                keys = _of_link(session, selection, target, link, live)
                if keys:
                    found[target.name, link] = keys
    return found


def _of_link(
    session: Session,
    selection: Selection,
    target: Target,
    link: Link,
    live: Catalog,
) -> Keys:
    """The keys without a parent by one link."""
    backup = selection.store.catalogs()[0]
    parent = live.tables.get(link.parent)
    table = parent or backup.tables.get(link.parent)
    if not link.exists or table is None:
        return ()
    above = selection.target(link.parent)
    with session.transaction(force_rollback=True):
        _load_keys(session, "named", selection, target, link.columns)
        _load_keys(session, "back", selection, above, link.parent_columns)
        return _without_parent(session, link, table, parent is not None)


def _load_keys(
    session: Session,
    name: str,
    selection: Selection,
    target: Target | None,
    columns: Sequence[str],
) -> None:
    """Make a temporary table of the keys, as text, that restorable rows hold.

    Args:
        session: within a transaction.
        name: the table's.
        selection: what comes back.
        target: whose rows; where there is none, the table stays empty.
        columns: what the keys are made of.
    """
    keys = _numbered("", len(columns))
    texts = ", ".join(f"{key} text" for key in keys)
    run(session, f"CREATE TEMP TABLE {name} ({texts})")
    if target is None or not set(columns) <= set(target.columns):
        return
    fields = [target.field(column) for column in columns]
    question = filled(
        "rehearse",
        "keys",
        fields=", ".join(fields),
        rows=selection.rows(target),
        filled=" AND ".join(f"{field} IS NOT NULL" for field in fields),
    )
    offer(session, f"pg_temp.{name}", keys, selection, question)


def _without_parent(session: Session, link: Link, table: Table, in_live: bool) -> Keys:
    """The keys in table `named` that the parent has not, with what `back` spells them."""
    typed = []
    for name in link.parent_columns:
        column = table.column(name)
        cast = column.type if column else "text"
        typed.append((quote_identifier(name), cast))
    # A key may not be of the parent's type, or that type may not be there: then keys are
    # compared as text.
    as_text = [(f"{name}::text", "text") for name, _ in typed]
    for columns in (typed, as_text):
        question = _question(table, columns, in_live)
        try:
            with session.transaction():
                rows = run(session, question).fetchall()
        except (psycopg.DataError, psycopg.ProgrammingError):
            continue
        return list(_keys(rows, len(columns)))
    return ()


def _question(table: Table, columns: Sequence[tuple[str, str]], in_live: bool) -> str:
    """The query for keys without a parent, by the parent's columns and the types to cast to."""
    there, back = [], []
    for i, (name, cast) in enumerate(columns):
        there.append(f"p.{name} = n.k{i}::{cast}")
        back.append(f"r.k{i}::{cast} = n.k{i}::{cast}")
    lacking = ""
    if in_live:
        same = " AND ".join(there)
        lacking = f"WHERE NOT EXISTS (SELECT FROM {rows_of(table)} p WHERE {same})"
    named = ", ".join(_numbered("n.", len(columns)))
    return filled(
        "rehearse",
        "orphans",
        named=named,
        columns=f"{named}, {', '.join(_numbered('r.', len(columns)))}",
        back=" AND ".join(back),
        lacking=lacking,
    )


def _keys(rows: Iterable[Sequence[Any]], width: int) -> Iterable[tuple[tuple[str, ...], Any]]:
    """Each key, with the spelling of the parent row that returns, or None."""
    for row in rows:
        spelled = None
        if row[width] is not None:
            spelled = tuple(map(str, row[width:]))
        yield tuple(map(str, row[:width])), spelled


def _numbered(alias: str, number: int) -> list[str]:
    return [f"{alias}k{i}" for i in range(number)]
