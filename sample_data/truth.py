"""The right answers for the sample incident, worked out without the library.

Both databases are copied out as text and counted row by row in plain Python. Slow and simple on
purpose: this is what the library is held to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from contextlib import ExitStack
from typing import Any

import psycopg
from psycopg import sql

from forensics.scratch import Scratch
from sample_data.world import GALLERIES

Row = tuple[str, ...]
Columns = dict[
    str, dict[str, tuple[str, str, str | None]]
]  # table → column → type, is nullable, default
Key = tuple[str, ...]

_TAGGED = "_HotelToTag"
# favorites links users with rows of several tables: entity_type says which, entity_id the row.
_JUNCTIONS = {gallery.table for gallery in GALLERIES} | {_TAGGED, "favorites"}
_SETTINGS = (
    "-c timezone=UTC -c datestyle=ISO -c extra_float_digits=3 -c default_transaction_read_only=on"
)
_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
  CASE WHEN a.attnotnull THEN 'NO' ELSE 'YES' END,
       pg_get_expr(d.adbin, d.adrelid)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
  AND NOT a.attisdropped
  AND a.attgenerated = ''
ORDER BY c.relname, a.attnum"""
_PRIMARY_KEYS = """
SELECT i.indrelid::regclass::text, array_agg(a.attname::text
  ORDER BY array_position(i.indkey::int[], a.attnum::int))
FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
WHERE i.indisprimary AND i.indrelid > 16383 GROUP BY i.indrelid"""


def expected(scratch: Scratch, before: str, live: str) -> dict[str, Any]:
    """Return what comparing database `live` with database `before` has to find.

    Rows are compared under the primary key where both sides declare the same one. No table of
    the sample has another key that is not the whole row, so that the others are compared as
    multisets of rows.

    Returns:
        `tables`: per table its state, whether it is a junction table, and its row counts, 0
        where that side has no such table. `columns`: every difference in the columns of tables
        that both sides have. `totals`: sums over all tables but the migration history; the rows
        of new tables count as added.

    Raises:
        psycopg.Error: a database could not be read.
    """
    tables: list[dict[str, Any]] = []
    columns: list[dict[str, Any]] = []
    with _connect(scratch, before) as old, _connect(scratch, live) as new:
        old_columns, new_columns = _columns(old), _columns(new)
        old_keys, new_keys = _primary_keys(old), _primary_keys(new)
        for name in sorted(old_columns.keys() | new_columns.keys()):
            if name not in new_columns:
                rows = len(_rows(old, name, old_columns[name]))
                tables.append(_table(name, "dropped", backup_rows=rows, missing=rows))
                continue
            if name not in old_columns:
                rows = len(_rows(new, name, new_columns[name]))
                tables.append(_table(name, "new", live_rows=rows, added=rows))
                continue
            common = [c for c in old_columns[name] if c in new_columns[name]]
            key = old_keys.get(name, ())
            if key != new_keys.get(name):
                key = ()
            counts = _count(
                _rows(old, name, common), _rows(new, name, common), [common.index(c) for c in key]
            )
            tables.append(_table(name, "compared", **counts))
            columns += _drift(old, name, old_columns, new_columns)
    sums = ("backup_rows", "missing", "added", "changed", "unchanged")
    counting = [t for t in tables if not t.get("history")]
    totals = {"tables": len(counting)} | {s: sum(t[s] for t in counting) for s in sums}
    return {"tables": tables, "columns": columns, "totals": totals}


def expected_links(scratch: Scratch, before: str, eve: str, live: str) -> list[dict[str, Any]]:
    """Return what became of the links of each junction table.

    Args:
        before: the backup's side.
        eve: the database as it stood just before the migration, which no investigator has.
        live: the other side.

    Returns:
        Per junction table: `missing` rows; of these `moved` (live holds the link in a column of
            the parent) and `lost`; of the lost, `blocked` (an end of the link is gone from
            live) and `restorable`; the live parents that are `affected` (lost a link) and
            `emptied` (and now hold none); `unobservable` rows: in neither side, made after the
            backup and taken by the migration.

    Raises:
        psycopg.Error: a database could not be read.
    """
    found = []
    with ExitStack() as stack:
        old, late, new = (
            stack.enter_context(_connect(scratch, name)) for name in (before, eve, live)
        )
        assets = {row[0] for row in _rows(new, "media_assets", ["id"])}
        for gallery in GALLERIES:
            links = _rows(old, gallery.table, ["id", gallery.column, "asset_id"])
            held = {(parent, asset) for parent, asset in new.execute(_held(gallery.parent))}
            parents = {row[0] for row in _rows(new, gallery.parent, ["id"])}
            fate = _fate([link[1:] for link in links], held, held, parents, assets)
            taken = {row[0] for row in _rows(late, gallery.table, ["id"])} - {
                link[0] for link in links
            }
            found.append(
                {
                    "table": gallery.table,
                    "parent": gallery.parent,
                    **fate,
                    "unobservable": len(taken),
                }
            )
        pairs, now = _rows(old, _TAGGED, ["A", "B"]), set(_rows(new, _TAGGED, ["A", "B"]))
        hotels, tags = (
            {row[0] for row in _rows(new, table, ["id"])} for table in ("hotels", "tags")
        )
        fate = _fate([pair for pair in pairs if pair not in now], set(), now, hotels, tags)
        found.append({"table": _TAGGED, "parent": "hotels", **fate, "unobservable": 0})
    return found


def _fate(
    missing: list[Row],
    moved_to: Collection[Row],
    held: Collection[Row],
    parents: set[str],
    others: set[str],
) -> dict[str, int]:
    """The counts for the `missing` links of one junction table.

    `moved_to` and `held` are links that live holds, elsewhere and at all; `parents` and
    `others` are what both ends of a link may be in live.
    """
    lost = [link for link in missing if link not in moved_to]
    blocked = [link for link in lost if link[0] not in parents or link[1] not in others]
    affected = {link[0] for link in lost} & parents
    return {
        "missing": len(missing),
        "moved": len(missing) - len(lost),
        "lost": len(lost),
        "restorable": len(lost) - len(blocked),
        "blocked": len(blocked),
        "affected": len(affected),
        "emptied": len(affected - {link[0] for link in held}),
    }


def _held(parent: str) -> sql.Composed:
    """The query for the links that a parent's new columns hold."""
    return sql.SQL(
        "SELECT id, jsonb_array_elements_text(gallery_asset_ids) FROM {0} "
        "UNION SELECT id, cover_asset_id FROM {0} WHERE cover_asset_id IS NOT NULL"
    ).format(sql.Identifier(parent))


def _count(old: list[Row], new: list[Row], key: list[int]) -> dict[str, int]:
    counts = {"backup_rows": len(old), "live_rows": len(new)}
    if not key:
        a, b = Counter(old), Counter(new)
        same = (a & b).total()
        return counts | {
            "missing": len(old) - same,
            "added": len(new) - same,
            "changed": 0,
            "unchanged": same,
        }
    left = {tuple(row[i] for i in key): row for row in old}
    right = {tuple(row[i] for i in key): row for row in new}
    both = left.keys() & right.keys()
    changed = sum(left[k] != right[k] for k in both)
    missing, added = len(left) - len(both), len(right) - len(both)
    return counts | {
        "missing": missing,
        "added": added,
        "changed": changed,
        "unchanged": len(both) - changed,
    }


def _table(name: str, state: str, **counts: int) -> dict[str, Any]:
    rows = {
        c: counts.get(c, 0)
        for c in ("backup_rows", "live_rows", "missing", "added", "changed", "unchanged")
    }
    found = {
        "schema": "public",
        "table": name,
        "state": state,
        "junction": name in _JUNCTIONS,
    }
    if name == "_prisma_migrations":
        found["history"] = True
    return {**found, **rows}


def _drift(
    old: psycopg.Connection, table: str, before: Columns, after: Columns
) -> list[dict[str, Any]]:
    """Every difference between the columns of `table` on the two sides, by their names."""
    found = []
    was, now = before[table], after[table]
    for column in sorted(was.keys() | now.keys()):
        values = None
        if column not in now:
            changes = ["dropped"]
            count = sql.SQL("SELECT count({}) FROM {}").format(
                sql.Identifier(column), sql.Identifier(table)
            )
            values = int(_one(old, count))
        elif column not in was:
            changes = ["added"]
        else:
            pairs = zip(("type", "nullability", "default"), was[column], now[column], strict=True)
            changes = [change for change, a, b in pairs if a != b]
        found += [
            {
                "schema": "public",
                "table": table,
                "column": column,
                "change": change,
                "values_missing": values,
            }
            for change in changes
        ]
    return found


def _connect(scratch: Scratch, database: str) -> psycopg.Connection:
    return psycopg.connect(scratch.dsn(database), options=_SETTINGS)


def _one(connection: psycopg.Connection, query: sql.Composed) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def _columns(connection: psycopg.Connection) -> Columns:
    found: Columns = {}
    for table, column, kind, nullable, default in connection.execute(_COLUMNS):
        found.setdefault(table, {})[column] = (kind, nullable, default)
    return found


def _primary_keys(connection: psycopg.Connection) -> dict[str, Key]:
    return {
        table.strip('"'): tuple(columns) for table, columns in connection.execute(_PRIMARY_KEYS)
    }


def _rows(connection: psycopg.Connection, table: str, columns: Collection[str]) -> list[Row]:
    """The rows of a table, each value as COPY writes it."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    with connection.cursor().copy(
        sql.SQL("COPY {} ({}) TO STDOUT").format(sql.Identifier(table), names)
    ) as copy:
        text = b"".join(copy).decode()
    return [tuple(line.split("\t")) for line in text.split("\n")[:-1]]
