"""A dump's DDL, read into a Catalog with PostgreSQL's own parser. Nothing is executed."""

from __future__ import annotations

from forensics.evidence.ddl.reading import first_search_path, read_catalog
from forensics.evidence.ddl.spelling import (
    expression_text,
    format_type,
    identifier,
    normal_expression,
    normal_type,
)
from forensics.evidence.names import split_qualified

__all__ = [
    "expression_text",
    "first_search_path",
    "format_type",
    "identifier",
    "normal_expression",
    "normal_type",
    "read_catalog",
    "split_qualified",
]
