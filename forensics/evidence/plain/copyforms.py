"""COPY statements as people write them: with options, as CSV, with comments in between; and the rows they open.

`pg_dump` writes one form only, which `scanning` recognises by itself. All others are parsed here by PostgreSQL's own
parser, and their rows are turned into the text that `pg_dump` would have written.

Source of the formats: the PostgreSQL manual, COPY, "File Formats", "Text Format" and "CSV Format".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import postgast

from forensics.errors import BackupError
from forensics.evidence import copytext
from forensics.evidence.source import Block
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
    null: str = copytext.NULL
    quote: str = '"'
    escape: str = '"'
    header: bool = False
    encoding: str | None = None
    problem: str | None = None

    @property
    def usual(self) -> bool:
        """Whether the rows are written as `pg_dump` writes them."""
        return not (self.csv or self.header or self.problem) and (self.delimiter, self.null) == (
            "\t",
            copytext.NULL,
        )


def read_copy(statement: str, search_path: str) -> CopyForm | None:
    """Read a COPY statement; None where it is none that brings rows in.

    Args:
        statement: its text, with or without the semicolon; of psql's \\copy, without the backslash.
        search_path: where a name without a schema leads.
    """
    try:
        tree = postgast.parse(statement)
    except postgast.PgQueryError:
        return None
    if len(tree.stmts) != 1 or not tree.stmts[0].stmt.HasField("copy_stmt"):
        return None
    node = tree.stmts[0].stmt.copy_stmt
    if not node.is_from or not node.HasField("relation"):
        return None
    options = {o.def_elem.defname: _argument(o.def_elem) for o in node.options}
    csv = options.get("format", "text").lower() == "csv"
    quote = options.get("quote", '"')
    return CopyForm(
        TableName(node.relation.schemaname or search_path, node.relation.relname),
        tuple(c.string.sval for c in node.attlist) or None,
        node.filename or None,
        csv,
        options.get("delimiter", "," if csv else "\t"),
        options.get("null", "" if csv else copytext.NULL),
        quote,
        options.get("escape", quote),
        options.get("header", "false").lower() not in _OFF,
        options.get("encoding"),
        _problem(options, node),
    )


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
    return "its COPY has a WHERE" if node.HasField("where_clause") else None


def as_pg_dump_writes(blocks: Iterable[Block], form: CopyForm) -> Iterator[bytes]:
    """Turn rows into blocks of COPY text as `pg_dump` writes it.

    Args:
        blocks: whole lines in UTF-8, without the end marker.
        form: what their COPY says.

    Raises:
        BackupError: a quoted field of CSV has no end.
    """
    heading = form.header
    for rows in _csv_rows(blocks, form) if form.csv else _text_rows(blocks, form):
        if heading and rows:
            rows, heading = rows[1:], False
        if rows:
            yield "".join("\t".join(map(copytext.encode_field, r)) + "\n" for r in rows).encode(
                "utf-8"
            )


def _text_rows(blocks: Iterable[Block], form: CopyForm) -> Iterator[list[list[str | None]]]:
    for block in blocks:
        lines = bytes(block).decode("utf-8").split("\n")[:-1]
        yield [
            [None if f == form.null else copytext.unescape(f) for f in _split(line, form.delimiter)]
            for line in lines
        ]


def _split(line: str, delimiter: str) -> list[str]:
    """Split a line at the delimiters that no backslash stands before."""
    fields: list[str] = []
    held = ""
    for part in line.split(delimiter):
        held += part
        if (len(held) - len(held.rstrip("\\"))) % 2:
            held += delimiter
        else:
            fields.append(held)
            held = ""
    return [*fields, held] if held else fields


def _csv_rows(blocks: Iterable[Block], form: CopyForm) -> Iterator[list[list[str | None]]]:
    quote, escape, delimiter = (re.escape(c) for c in (form.quote, form.escape, form.delimiter))
    token = re.compile(
        rf"{escape}[{quote}{escape}]|{quote}|{delimiter}|\r?\n|[^{quote}{escape}{delimiter}\r\n]+|.",
        re.S,
    )
    row: list[str | None] = []
    field, quoted, inside = "", False, False
    for block in blocks:
        rows = []
        for match in token.finditer(bytes(block).decode("utf-8")):
            one = match[0]
            if inside and len(one) == 2 and one[0] == form.escape:
                field += one[1]
            elif (
                not inside
                and one in (form.escape * 2, form.escape + form.quote)
                and form.escape == form.quote
            ):
                quoted = True  # "" is an empty string, and no NULL
            elif one == form.quote:
                inside, quoted = not inside, True
            elif not inside and (one == form.delimiter or one.endswith("\n")):
                row.append(None if field == form.null and not quoted else field)
                field, quoted = "", False
                if one != form.delimiter:
                    rows.append(row)
                    row = []
            else:
                field += one
        yield rows
    if inside:
        raise BackupError(
            f"The rows of table {form.table} end within a quoted field.",
            "Is the CSV in the file cut off?",
        )
