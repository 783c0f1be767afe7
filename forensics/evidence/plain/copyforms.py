"""COPY statements as people write them: with options, as CSV, with comments in between.

`pg_dump` writes one form only, which `patterns` recognises by itself. All others are parsed here
by PostgreSQL's own parser; `rewriting` turns the rows that they open into the text that `pg_dump`
would have written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import postgast

from forensics.evidence.fields import NULL
from forensics.model import TableName

_READ = {"format", "delimiter", "null", "header", "quote", "escape", "encoding", "freeze"}
_OFF = ("false", "off", "0")


@dataclass(frozen=True)
class CopyForm:
    """What a COPY … FROM statement says.

    Attributes:
        table, columns: where its rows go; None where it names no columns.
        file: the file or program that its rows are in, None where they follow.
        csv, delimiter, null, quote, escape, header, encoding: how the rows are written.
        problem: why they cannot be read, in words, or None.
    """

    table: TableName
    columns: tuple[str, ...] | None
    file: str | None = None
    csv: bool = False
    delimiter: str = "\t"
    null: str = NULL
    quote: str = '"'
    escape: str = '"'
    header: bool = False
    encoding: str | None = None
    problem: str | None = None

    @property
    def usual(self) -> bool:
        """Whether the rows are written as `pg_dump` writes them."""
        if self.csv or self.header or self.problem:
            return False
        return (self.delimiter, self.null) == ("\t", NULL)


def read_copy(statement: str, search_path: str) -> CopyForm | None:
    """Read a COPY statement; None where it is none that brings rows in.

    Args:
        statement: its text, with or without the semicolon; of psql's \\copy, without the
            backslash.
        search_path: where a name without a schema leads.
    """
    node = _parsed(statement)
    if node is None or not node.is_from or not node.HasField("relation"):
        return None
    options = {o.def_elem.defname: _argument(o.def_elem) for o in node.options}
    csv = options.get("format", "text").lower() == "csv"
    delimiter, null = "\t", NULL
    if csv:
        delimiter, null = ",", ""
    quote = options.get("quote", '"')
    return CopyForm(
        table=TableName(node.relation.schemaname or search_path, node.relation.relname),
        columns=tuple(c.string.sval for c in node.attlist) or None,
        file=node.filename or None,
        csv=csv,
        delimiter=options.get("delimiter", delimiter),
        null=options.get("null", null),
        quote=quote,
        escape=options.get("escape", quote),
        header=options.get("header", "false").lower() not in _OFF,
        encoding=options.get("encoding"),
        problem=_problem(options, node),
    )


def is_known(statement: str) -> bool:
    """Whether PostgreSQL's parser reads a text as one COPY statement."""
    return _parsed(statement) is not None


def _parsed(statement: str) -> Any | None:
    """The COPY statement that a text is, as PostgreSQL's parser reads it, or None."""
    try:
        tree = postgast.parse(statement)
    except postgast.PgQueryError:
        return None
    if len(tree.stmts) != 1 or not tree.stmts[0].stmt.HasField("copy_stmt"):
        return None
    return tree.stmts[0].stmt.copy_stmt


def _argument(option: Any) -> str:
    if option.arg.HasField("string"):
        return str(option.arg.string.sval)
    if option.arg.HasField("boolean"):
        return str(option.arg.boolean.boolval)
    if option.arg.HasField("integer"):
        return str(option.arg.integer.ival)
    return "true"  # named and nothing more


def _problem(options: dict[str, str], node: Any) -> str | None:
    if options.get("format", "text").lower() not in ("text", "csv"):
        return f"they are written in the format {options['format']}"
    if odd := sorted(options.keys() - _READ):
        return f"the option {odd[0].upper()} of its COPY is not known here"
    if node.HasField("where_clause"):
        return "its COPY has a WHERE"
    return None
