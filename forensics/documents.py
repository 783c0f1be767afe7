"""The nouns of the model as JSON, and back."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime
from functools import cache
from types import NoneType
from typing import Any, TypeVar, cast

from forensics.model import (
    Catalog,
    Column,
    ForeignKey,
    Key,
    Provenance,
    Sequence,
    Table,
    TableName,
)

_AS_THEY_ARE = frozenset({str, int, float, bool, NoneType})


def plain(value: Any) -> Any:
    """Return a dataclass of this module, or a container of them, as JSON-ready types."""
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is TableName:
        return {"schema": value.schema, "table": value.table}
    if kind is dict:
        return {str(k): plain(v) for k, v in value.items()}
    if kind is list or kind is tuple:
        return [plain(v) for v in value]
    if hasattr(kind, "__dataclass_fields__"):
        return _plain_fields(value, _fields_of(cast("Hashable", kind)))
    return _plain_other(value)


def plain_without(value: Any, name: str) -> dict[str, Any]:
    """Return a dataclass of this module as JSON-ready types, but for one of its fields."""
    names = _fields_of(cast("Hashable", type(value)))
    return _plain_fields(value, tuple(one for one in names if one != name))


def _plain_other(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [plain(v) for v in value]
    return value


def _plain_fields(value: Any, names: tuple[str, ...]) -> dict[str, Any]:
    found = {}
    for name in names:
        held = getattr(value, name)
        # A catalogue has a hundred thousand of them: most need no call.
        found[name] = held if type(held) in _AS_THEY_ARE else plain(held)
    return found


@cache
def _fields_of(kind: Hashable) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))  # type: ignore[arg-type]


def plain_catalog(catalog: Catalog) -> dict[str, Any]:
    """Return a catalogue as JSON-ready types; `catalog_of` reads it back."""
    written: dict[str, Any] = plain(replace(catalog, tables={}))
    written["tables"] = plain(catalog.tables.values())
    return written


def catalog_of(value: Mapping[str, Any]) -> Catalog:
    """Return the catalogue that `plain_catalog` wrote."""
    tables = {}
    for written in value["tables"]:
        table = _table_of(written)
        tables[table.name] = table
    return Catalog(
        tables=tables,
        enums=_tuples(value["enums"]),
        domains=dict(value["domains"]),
        composites=_tuples(value["composites"]),
        ranges=dict(value.get("ranges", {})),
        multiranges=dict(value.get("multiranges", {})),
        extensions=tuple(value["extensions"]),
        sequences=_each(_sequence_of, value["sequences"]),
        unparsed=tuple(value["unparsed"]),
    )


def provenance_of(value: Mapping[str, Any]) -> Provenance:
    """Return the provenance that `plain` wrote."""
    read = dict(value)
    for name in ("dumped_at", "taken_at"):
        if read[name]:
            read[name] = datetime.fromisoformat(read[name])
    return Provenance(**read)


_Made = TypeVar("_Made")


def _each(read: Callable[[dict[str, Any]], _Made], values: Iterable[Any]) -> tuple[_Made, ...]:
    return tuple(read(v) for v in values)


def _tuples(value: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(listed) for name, listed in value.items()}


def _name_of(value: dict[str, Any]) -> TableName:
    return TableName(**value)


def _table_of(value: dict[str, Any]) -> Table:
    read = dict(value)
    read["name"] = _name_of(value["name"])
    read["columns"] = _each(_column_of, value["columns"])
    read["keys"] = _each(_key_of, value["keys"])
    read["foreign_keys"] = _each(_foreign_key_of, value["foreign_keys"])
    read["inherits"] = _each(_name_of, value["inherits"])
    if value["parent"]:
        read["parent"] = _name_of(value["parent"])
    return Table(**read)


def _column_of(value: dict[str, Any]) -> Column:
    return Column(**value)


def _key_of(value: dict[str, Any]) -> Key:
    return Key(**{**value, "columns": tuple(value["columns"])})


def _foreign_key_of(value: dict[str, Any]) -> ForeignKey:
    return ForeignKey(
        value["name"],
        tuple(value["columns"]),
        _name_of(value["parent"]),
        tuple(value["parent_columns"]),
        value["on_delete"],
        tuple(value.get("empties", ())),
        value.get("enforced", True),
        value.get("on_update", "no action"),
    )


def _sequence_of(value: dict[str, Any]) -> Sequence:
    owner = None
    if value["owner"]:
        table, column = value["owner"]
        owner = _name_of(table), column
    return Sequence(_name_of(value["name"]), value["last_value"], value["is_called"], owner)
