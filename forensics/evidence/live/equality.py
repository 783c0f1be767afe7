"""Which keys a server holds equal, whatever their text: asked by one SELECT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from forensics.model import TableName


@dataclass(frozen=True)
class KeyType:
    """What decides whether two values of a key's column are equal.

    Attributes:
        type: as SQL names it, without a modifier.
        collation: as SQL names it, where it holds different texts equal; "" otherwise.
    """

    type: str
    collation: str = ""


def grouping(types: Sequence[KeyType], keys: Sequence[tuple[str, ...]]) -> sql.Composed:
    """The SELECT that gives each key (n, from 1 on) a number `g`; equal keys have the same.

    Ranks follow the types' own order, which no search path leads astray as it would `=`.
    """
    lists, values = [], []
    for at, key in enumerate(types):
        name = sql.Identifier(f"k{at}")
        column = [values_of[at] for values_of in keys]
        lists.append(sql.SQL("{}::text[]").format(sql.Literal(column)))
        value = sql.SQL("{}::{}").format(name, sql.SQL(key.type))  # type: ignore[arg-type]
        if key.collation:
            collation = sql.SQL(key.collation)  # type: ignore[arg-type]
            value = sql.SQL("{} COLLATE {}").format(value, collation)
        values.append(value)
    names = [sql.Identifier(f"k{at}") for at in range(len(types))]
    return sql.SQL(
        "SELECT n, pg_catalog.dense_rank() OVER (ORDER BY {}) AS g"
        " FROM ROWS FROM ({}) WITH ORDINALITY AS t({}, n)"
    ).format(
        sql.SQL(", ").join(values),
        sql.SQL(", ").join(sql.SQL("pg_catalog.unnest({})").format(one) for one in lists),
        sql.SQL(", ").join(names),
    )


def collations(table: TableName) -> sql.Composed:
    """The SELECT of a table's columns whose collations hold different texts equal."""
    return sql.SQL(
        "SELECT a.attname AS name,"
        " pg_catalog.format('%I.%I', n.nspname, c.collname) AS collation"
        " FROM pg_catalog.pg_attribute a"
        " JOIN pg_catalog.pg_collation c ON c.oid = a.attcollation"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace"
        " WHERE a.attrelid = pg_catalog.to_regclass({}) AND a.attnum > 0"
        " AND NOT coalesce((to_jsonb(c) ->> 'collisdeterministic')::boolean, true)"
    ).format(sql.Literal(table.sql))
