"""Statements that define types."""

from __future__ import annotations

from typing import Any

from forensics.evidence.ddl.draft import Draft, names_of
from forensics.evidence.ddl.spelling import format_type
from forensics.model import Column


def create_enum(draft: Draft, statement: Any) -> None:
    """CREATE TYPE … AS ENUM."""
    draft.enums[draft.type_name(names_of(statement.type_name))] = names_of(statement.vals)


def create_domain(draft: Draft, statement: Any) -> None:
    """CREATE DOMAIN."""
    name = draft.type_name(names_of(statement.domainname))
    draft.domains[name] = format_type(statement.type_name)


def create_composite(draft: Draft, statement: Any) -> None:
    """CREATE TYPE … AS (…)."""
    name = draft.type_name(draft.name(statement.typevar))
    columns: list[Column] = []
    for node in statement.coldeflist:
        definition = node.column_def
        columns.append(Column(definition.colname, format_type(definition.type_name)))
    draft.attributes[name] = tuple(columns)
    draft.composites[name] = tuple(column.type for column in columns)


def create_range(draft: Draft, statement: Any) -> None:
    """CREATE TYPE … AS RANGE, with the multirange type that goes with it."""
    name = draft.type_name(names_of(statement.type_name))
    bounds, multiranges = "", []
    for node in statement.params:
        parameter = node.def_elem
        if parameter.defname == "subtype":
            bounds = format_type(parameter.arg.type_name)
        elif parameter.defname == "multirange_type_name":
            names = names_of(parameter.arg.type_name.names)
            multiranges.append(draft.type_name(names))
    draft.ranges[name] = bounds
    for multirange in multiranges:
        draft.ranges[multirange] = bounds
        draft.multiranges[multirange] = name


def create_extension(draft: Draft, statement: Any) -> None:
    """CREATE EXTENSION: it brings types, and tables too."""
    draft.extensions.append(statement.extname)
