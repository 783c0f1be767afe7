"""What comparing two databases has to find, by reading both whole and counting in plain Python."""

from __future__ import annotations

from collections import Counter

import psycopg
from psycopg import sql

_PINS = """SET timezone = 'UTC'; SET datestyle = 'ISO, MDY'; SET intervalstyle = 'postgres';
SET bytea_output = 'hex';
SET extra_float_digits = 3; SET search_path = ''"""
_TABLES = """SELECT n.nspname, c.relname FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
AND n.nspname !~ '^(pg_|information_schema)'"""
_COLUMNS = """SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped
AND a.attgenerated = '' ORDER BY a.attnum"""
_PRIMARY = """SELECT a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
WHERE n.nspname = %s AND c.relname = %s AND i.indisprimary AND i.indimmediate
ORDER BY array_position(i.indkey::int2[], a.attnum)"""

Name = tuple[str, str]
Row = tuple[str, ...]


def _one_column(connection: psycopg.Connection, query: str, name: Name) -> list[str]:
    return [r[0] for r in connection.execute(query, name)]


def _rows(connection: psycopg.Connection, name: Name, columns: list[str]) -> list[Row]:
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    # A table that others inherit from has rows of its own; a partitioned one has none.
    table = sql.Identifier(*name).as_string(None)
    [(kind,)] = connection.execute(
        "SELECT relkind::text FROM pg_class WHERE oid = %s::regclass", [table]
    ).fetchall()
    query = sql.SQL("COPY (SELECT {} FROM {}{}) TO STDOUT").format(
        listed, sql.SQL("ONLY " if kind == "r" else ""), sql.Identifier(*name)
    )
    with connection.cursor().copy(query) as copy:
        lines = [bytes(r) for r in copy]
    return [
        tuple(line[:-1].decode("utf-8", "surrogateescape").split("\t")) if columns else ()
        for line in lines
    ]


def expected(before: str, after: str) -> dict[Name, dict[str, object]]:
    """Return, by (schema, table), state and counts. `before` and `after` are connection strings."""
    found: dict[Name, dict[str, object]] = {}
    with psycopg.connect(before) as old, psycopg.connect(after) as new:
        for connection in (old, new):
            connection.execute(_PINS)
        olds, news = ({(r[0], r[1]) for r in c.execute(_TABLES)} for c in (old, new))
        for name in olds | news:
            if name not in news:
                rows = len(_rows(old, name, _one_column(old, _COLUMNS, name)))
                found[name] = {
                    "state": "dropped",
                    "backup_rows": rows,
                    "missing": rows,
                    "changed": 0,
                    "unchanged": 0,
                }
            elif name not in olds:
                found[name] = {
                    "state": "new",
                    "live_rows": len(_rows(new, name, _one_column(new, _COLUMNS, name))),
                }
            else:
                found[name] = {"state": "compared", **_counts(old, new, name)}
    return found


def _counts(old: psycopg.Connection, new: psycopg.Connection, name: Name) -> dict[str, int]:
    theirs = set(_one_column(new, _COLUMNS, name))
    columns = [c for c in _one_column(old, _COLUMNS, name) if c in theirs]
    a, b = _rows(old, name, columns), _rows(new, name, columns)
    key = _one_column(old, _PRIMARY, name)
    if key and key == _one_column(new, _PRIMARY, name) and set(key) <= set(columns):
        at = [columns.index(k) for k in key]
        left, right = ({tuple(r[i] for i in at): r for r in rows} for rows in (a, b))
        missing, added = len(left.keys() - right.keys()), len(right.keys() - left.keys())
        changed = sum(left[k] != right[k] for k in left.keys() & right.keys())
        unchanged = len(a) - missing - changed
    else:
        left_rows, right_rows = Counter(a), Counter(b)
        missing, added = (left_rows - right_rows).total(), (right_rows - left_rows).total()
        changed, unchanged = 0, (left_rows & right_rows).total()
    return {
        "backup_rows": len(a),
        "live_rows": len(b),
        "missing": missing,
        "added": added,
        "changed": changed,
        "unchanged": unchanged,
    }
