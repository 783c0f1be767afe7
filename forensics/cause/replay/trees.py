"""Parse trees that are changed before they are run: copies of them, and their text."""

from __future__ import annotations

from typing import Any

import postgast
from postgast import pg_query_pb2 as pb

_VERSION = 180000  # of the grammar, as libpg_query counts


def copied(message: Any) -> Any:
    """A copy of a message, to be changed."""
    other = type(message)()
    other.CopyFrom(message)
    return other


def deparsed(kind: str, node: Any) -> str:
    """The text of a statement, by its kind and what stands below."""
    tree = pb.ParseResult(version=_VERSION)
    getattr(tree.stmts.add().stmt, kind).CopyFrom(node)
    return str(postgast.deparse(tree))
