"""Rows that a dump holds as INSERT statements, turned into COPY text as they stream.

`pg_dump --inserts` writes numbers bare and everything else as string literals whose content is the type's output text:
the same text that COPY would have written. So only quoting is undone here; no value is interpreted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from forensics.errors import BackupError
from forensics.evidence import copytext
from forensics.evidence.plain import lexer

_NAME = r'(?:"(?:[^"]|"")*"|[^\s".(]+)'
_HEAD = re.compile(
    rf"\s*INSERT\s+INTO\s+{_NAME}(?:\.{_NAME})?\s*(?:\((?P<columns>(?:[^()\"]|\"(?:[^\"]|\"\")*\")*)\)\s*)?"
    r"(?:OVERRIDING\s+\w+\s+VALUE\s+)?(?P<kind>VALUES|DEFAULT\s+VALUES)\s*",
    re.I,
)
_STRING = {True: r"'(?P<string>(?:[^']|'')*+)'", False: r"'(?P<string>(?:[^'\\]|''|\\.)*+)'"}
_VALUE = {
    on: re.compile(
        rf"\s*(?:[eE]'(?P<escaped>(?:[^'\\]|''|\\.)*+)'|[bBxX]'(?P<bits>[^']*+)'|{s}|(?P<bare>[^\s,()':]+))"
        r"(?:::[^,()']+)?\s*(?P<end>[,)])",
        re.S,
    )
    for on, s in _STRING.items()
}
_NEXT_ROW = re.compile(r"\s*,?\s*\(")
_FLUSH = 1 << 20
_BARE = {"null": copytext.NULL, "true": "t", "false": "f"}


def columns_of(text: str, standard_strings: bool = True) -> Sequence[str]:
    """Return the columns of the INSERT statement that a text begins with.

    They are the names that it gives, or as many as its first row has values, named as VALUES names them (`column1`, …);
    none where the text is cut off before.
    """
    head = _HEAD.match(text)
    if head is None:
        return ()
    if head["columns"] is not None:
        return copytext.known_columns(head["columns"])
    row = _NEXT_ROW.match(text, head.end())
    try:
        fields, _ = (
            _fields(text, row.end(), _VALUE[standard_strings], standard_strings) if row else ([], 0)
        )
    except BackupError:
        return ()  # a first row that is longer than what was read
    return [f"column{n + 1}" for n in range(len(fields))]


def whole_statements(chunks: Iterable[bytes], standard_strings: bool = True) -> Iterator[bytes]:
    """Cut a byte stream of statements into runs of whole ones.

    Raises:
        BackupError: the stream ends within a statement.
    """
    rest = b""
    for chunk in chunks:
        rest += chunk
        at = 0
        while (
            at < len(rest) and (end := lexer.statement_end(rest, at, standard_strings)) is not None
        ):
            # A semicolon at the very end of what is there might yet be followed by more of a string: it cannot,
            # because the lexer only stops at one that stands outside of quotes.
            at = end
        if at:
            yield rest[:at]
            rest = rest[at:]
    if rest.strip():
        raise BackupError(
            "The rows, written as INSERT statements, break off within a statement.",
            "Look for a complete copy.",
        )


def copy_blocks(
    statements: Iterable[bytes],
    table_columns: Sequence[str],
    columns: Sequence[str],
    standard_strings: bool = True,
) -> Iterator[bytes]:
    """Yield the rows of INSERT statements as blocks of COPY text.

    Args:
        statements: UTF-8 text of whole INSERT statements of one table, in runs.
        table_columns: what a statement without a column list means, in order.
        columns: the columns wanted, in order; one that a statement does not name is NULL.
        standard_strings: the setting `standard_conforming_strings` in force.

    Raises:
        BackupError: a statement is none that pg_dump writes.
    """
    value = _VALUE[standard_strings]
    out: list[str] = []
    size = 0
    broken: BackupError | None = None
    runs = iter(statements)
    while True:
        try:
            run = next(runs)
        except StopIteration:
            break
        except BackupError as error:
            broken = error  # the rows before it come first
            break
        text = run.decode("utf-8")
        at = 0
        while head := _HEAD.match(text, at):
            at = head.end()
            named = (
                copytext.known_columns(head["columns"])
                if head["columns"] is not None
                else table_columns
            )
            order = [named.index(c) if c in named else -1 for c in columns]
            if head["kind"].upper() != "VALUES":
                out.append("\t".join(copytext.NULL for _ in columns) + "\n")
            else:
                while row := _NEXT_ROW.match(text, at):
                    fields, at = _fields(text, row.end(), value, standard_strings)
                    if len(fields) != len(named):
                        raise BackupError(
                            f"A row has {len(fields)} values, and its table {len(named)} columns.",
                            "The backup does not say which are meant: make one with pg_dump --column-inserts, or one that defines its tables.",
                        )
                    line = "\t".join(fields[i] if i >= 0 else copytext.NULL for i in order) + "\n"
                    out.append(line)
                    size += len(line)
            end = text.find(";", at)  # only ON CONFLICT DO NOTHING may stand before it
            if end < 0:
                raise _odd(text, at)
            at = end + 1
            if size > _FLUSH:
                yield "".join(out).encode("utf-8")
                out, size = [], 0
        if text[at:].strip():
            raise _odd(text, at)
    if out:
        yield "".join(out).encode("utf-8")
    if broken:
        raise broken


def _fields(
    text: str, at: int, value: re.Pattern[str], standard_strings: bool
) -> tuple[list[str], int]:
    fields: list[str] = []
    while match := value.match(text, at):
        at = match.end()
        if (plain := match["string"]) is not None:
            plain = plain.replace("''", "'")
            fields.append(copytext.encode_field(plain if standard_strings else _unescape(plain)))
        elif (bare := match["bare"]) is not None:
            fields.append(_BARE.get(bare.lower(), bare))
        elif (bits := match["bits"]) is not None:
            fields.append(bits)
        else:
            fields.append(copytext.encode_field(_unescape(match["escaped"].replace("''", "'"))))
        if match["end"] == ")":
            return fields, at
    raise _odd(text, at)


def _unescape(text: str) -> str:
    # COPY's escapes are those of E'' strings, but for \u, which pg_dump never writes.
    return copytext.decode_field(text) or "" if text != copytext.NULL else "N"


def _odd(text: str, at: int) -> BackupError:
    return BackupError(
        f"An INSERT statement is of a kind that pg_dump does not write, near: {text[max(0, at - 20) : at + 40]!r}.",
        "Was the dump edited? Rows can be read from COPY and from INSERT … VALUES with literals.",
    )
