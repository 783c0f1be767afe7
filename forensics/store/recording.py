"""What was found of tables, a line each in the case."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from forensics.documents import catalog_of, plain, plain_catalog, plain_without
from forensics.model import Catalog, Column, ColumnChange, Table, TableName, TableResult
from forensics.store.literals import literal
from forensics.store.longtexts import LONG, execute_with

if TYPE_CHECKING:
    import duckdb

_TOGETHER = 500  # lines a statement
# The columns of `kit.tables`, in their order.
_LINE = {
    "number": "INTEGER",
    "schema": "VARCHAR",
    "table": "VARCHAR",
    "result": "JSON",
    "changes": "JSON",
    "backup_columns": ["VARCHAR"],
    "live_columns": ["VARCHAR"],
    "read": "JSON",
}
_COLUMNS = ", ".join(f'o."{name}"' for name in _LINE)


@dataclass(frozen=True)
class Record:
    """What was found of one table.

    Attributes:
        number: the table's number in this case.
        result, changes: what was found.
        columns: by side, the columns of the rows that are kept.
        read: by side, which snapshot of a database the rows were read from.
    """

    number: int
    result: TableResult
    changes: Sequence[ColumnChange] = ()
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    read: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def record(cursor: duckdb.DuckDBPyConnection, *records: Record) -> None:
    """Record what was found of tables, in place of what was said of them before.

    Args:
        cursor: a cursor of the case's connection, whose transaction holds the tables' rows too.
        records: one a table.
    """
    for start in range(0, len(records), _TOGETHER):
        some = records[start : start + _TOGETHER]
        numbers = ", ".join(str(one.number) for one in some)
        cursor.execute(f"DELETE FROM kit.tables WHERE number IN ({numbers})")
        # As one text: to read thousands of literals takes longer than to write the lines.
        lines = json.dumps([_line(one) for one in some])
        if len(lines) > LONG:
            execute_with(cursor, f"{_insert_of('t0')} FROM given)", (lines,))
        else:
            cursor.execute(f"{_insert_of(literal(lines))})")


def _insert_of(lines: str) -> str:
    """The statement, up to where lines come from."""
    return (
        f"INSERT INTO kit.tables SELECT {_COLUMNS} "
        f"FROM (SELECT unnest(from_json({lines}, '{json.dumps([_LINE])}')) AS o"
    )


def _line(one: Record) -> dict[str, Any]:
    name = one.result.name
    return {
        "number": one.number,
        "schema": name.schema,
        "table": name.table,
        "result": plain(one.result),
        "changes": plain(list(one.changes)),
        "backup_columns": list(one.columns.get("backup", ())),
        "live_columns": list(one.columns.get("live", ())),
        "read": plain(one.read),
    }


def catalogs_text(backup: Catalog, live: Catalog) -> str:
    """Both schemas as JSON, table by table: whole ones of thousands of tables take much memory."""
    return f'{{"backup": {_catalog_text(backup)}, "live": {_catalog_text(live)}}}'


@lru_cache(maxsize=1)  # of the case that is looked at: a rehearsal asks a hundred times
def catalogs_of(text: str) -> tuple[Catalog, Catalog]:
    """The schemas that `catalogs_text` wrote: the backup's, and live's."""
    found = json.loads(text)
    return catalog_of(found["backup"]), catalog_of(found["live"])


def _catalog_text(catalog: Catalog) -> str:
    rest = plain_catalog(replace(catalog, tables={}))
    del rest["tables"]
    tables = ", ".join(map(_table_text, catalog.tables.values()))
    return f'{{"tables": [{tables}], {json.dumps(rest)[1:]}'


def _table_text(table: Table) -> str:
    rest = json.dumps(plain_without(table, "columns"))
    columns = ", ".join(map(_column_text, table.columns))
    return f'{{"columns": [{columns}], {rest[1:]}'


@lru_cache(maxsize=4096)  # tables have many columns that are the same
def _column_text(column: Column) -> str:
    return json.dumps(plain(column))


@dataclass(frozen=True)
class Line:
    """What a case says of one table; as a `Record` has it."""

    number: int
    result: TableResult
    changes: tuple[ColumnChange, ...]
    columns: Mapping[str, tuple[str, ...]]
    read: dict[str, dict[str, str]]


def read_facts(cursor: duckdb.DuckDBPyConnection, where: str = "") -> dict[str, str]:
    """The facts of a case, each as the text of its JSON; none where the file is no case."""
    from duckdb import CatalogException

    try:
        return dict(cursor.execute(f"SELECT name, value FROM kit.meta {where}").fetchall())
    except CatalogException:
        return {}


def read_lines(cursor: duckdb.DuckDBPyConnection) -> dict[TableName, Line]:
    """What a case says of its tables, by name and in its order."""
    found = cursor.execute(
        "SELECT number, result, changes, backup_columns, live_columns, read "
        'FROM kit.tables ORDER BY schema, "table"'
    )
    lines = {}
    for number, result, changes, backup, live, read in found.fetchall():
        line = Line(
            number,
            _result(json.loads(result)),
            _changes(json.loads(changes)),
            {"backup": tuple(backup or ()), "live": tuple(live or ())},
            json.loads(read),
        )
        lines[line.result.name] = line
    return lines


def _result(value: dict[str, Any]) -> TableResult:
    value["name"] = TableName(**value["name"])
    for name in ("key", "columns", "notes"):
        value[name] = tuple(value[name])
    return TableResult(**value)


def _changes(listed: Sequence[dict[str, Any]]) -> tuple[ColumnChange, ...]:
    found = []
    for change in listed:
        name = TableName(**change.pop("name"))
        found.append(ColumnChange(name, **change))
    return tuple(found)
