"""Types of a catalogue's own: their names as PostgreSQL prints them, and what they are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable

from forensics.evidence.ddl import identifier
from forensics.model import Catalog, Column, TableName
from forensics.recovery.relations import base_type

_WORD = re.compile(r'"(?:[^"]|"")*"|[^.]+')


def type_text(name: TableName) -> str:
    """A name as `format_type` and `regclass` print it: quoted where it has to be."""
    return f"{identifier(name.schema)}.{identifier(name.table)}"


def name_of_type(text: str) -> TableName:
    """The name that `type_text` printed."""
    words = [_unquoted(word) for word in _WORD.findall(text)]
    schema = words[0] if len(words) > 1 else "public"
    return TableName(schema, words[-1])


def _unquoted(word: str) -> str:
    if word.startswith('"'):
        return word[1:-1].replace('""', '"')
    return word


def own_types(catalog: Catalog) -> set[str]:
    """The enums, domains, composite, range and multirange types of a catalogue."""
    return {
        *catalog.enums,
        *catalog.domains,
        *catalog.composites,
        *catalog.ranges,
    }


def types_used(catalog: Catalog, columns: Iterable[Column]) -> set[str]:
    """The catalogue's own types that columns need: theirs, and those that these are made of."""
    known = own_types(catalog)
    todo = [base_type(c.type) for c in columns]
    needed: set[str] = set()
    while todo:
        name = todo.pop()
        if name in known and name not in needed:
            needed.add(name)
            todo += _made_of(catalog, name)
    return needed


def in_order_of_use(backup: Catalog, types: set[str]) -> list[str]:
    """Types, each after those that it is made of; multiranges come and go with their ranges."""
    done: list[str] = []

    def place(name: str) -> None:
        for part in _made_of(backup, name):
            if part in types and part != name:
                place(part)
        if name not in done:
            done.append(name)

    for name in sorted(types):
        place(name)
    return [n for n in done if n not in backup.multiranges]


def _made_of(catalog: Catalog, name: str) -> list[str]:
    """The types that a type is made of; a multirange of its range."""
    if name in catalog.multiranges:
        return [catalog.multiranges[name]]
    parts: list[str] = []
    for standing_on_one in (catalog.domains, catalog.ranges):
        if standing_on_one.get(name):
            parts.append(standing_on_one[name])
    parts += catalog.composites.get(name, ())
    return [base_type(part) for part in parts]
