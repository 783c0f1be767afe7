"""Rows that a dump holds as INSERT statements, turned into COPY text as they stream.

`pg_dump --inserts` writes numbers bare and everything else as string literals whose content is
the type's output text: the same text that COPY would have written. So only quoting is undone
here; no value is interpreted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from forensics.errors import BackupError
from forensics.evidence.blocks import LongRowError
from forensics.evidence.encodings import ODD_HINT, odd_bytes
from forensics.evidence.fields import NULL, encode_field, unescape
from forensics.evidence.names import known_columns
from forensics.evidence.plain import lexer

_NAME = r'(?:"(?:[^"]|"")*"|[^\s".(]+)'
_LIST = r'\((?P<columns>(?:[^()"]|"(?:[^"]|"")*")*)\)'
_HEAD = re.compile(
    rf"\s*INSERT\s+INTO\s+{_NAME}(?:\.{_NAME})?\s*(?:{_LIST}\s*)?"
    r"(?:OVERRIDING\s+\w+\s+VALUE\s+)?(?P<kind>VALUES|DEFAULT\s+VALUES)\s*",
    re.I,
)
# By whether standard_conforming_strings is on.
_STRING = {
    True: r"'(?P<string>(?:[^']|'')*+)'",
    False: r"'(?P<string>(?:[^'\\]|''|\\.)*+)'",
}


def _value(string: str) -> re.Pattern[str]:
    """What matches a value, a cast after it, and the comma or parenthesis that ends it."""
    return re.compile(
        r"\s*(?:[eE]'(?P<escaped>(?:[^'\\]|''|\\.)*+)'|[bBxX]'(?P<bits>[^']*+)'"
        rf"|{string}|(?P<bare>[-+]?\.?\d[\w.+-]*|[-+]?(?:nan|inf(?:inity)?)\b"
        r"|null|true|false|default))"
        r"(?:::[^,()']+(?:\([\d, ]+\))?)?\s*(?P<end>[,)])",
        re.S | re.I,
    )


_VALUE = {on: _value(string) for on, string in _STRING.items()}
_NEXT_ROW = re.compile(r"\s*,?\s*\(")
# What may stand behind the last row; a statement of its own may not.
_TAIL = re.compile(r"\s*(?:(?:ON\s+CONFLICT|RETURNING)\b(?:(?!\bINSERT\s+INTO\b)[^;])*)?;", re.I)
_FLUSH = 1 << 20
_NOT_SAID = "\0"  # of a value that the server works out, as of a generated column
_BARE = {"null": NULL, "true": "t", "false": "f", "default": _NOT_SAID}
_ENOUGH = 500  # rows, to tell by them what they hold
_LACKING = -1  # the place of a column that a statement does not name


class OddStatementError(BackupError):
    """A statement is none that brings rows in.

    Attributes:
        line: on which line of all statements it was noticed, from 1 on.
    """

    line = 1


class Value(NamedTuple):
    """A value as an INSERT writes it; None is NULL."""

    text: str | None
    quoted: bool


def columns_of(text: str, standard_strings: bool = True) -> Sequence[str]:
    """Return the columns of the INSERT statement that a text begins with.

    They are the names that it gives, or as many as its first row has values, named as VALUES
    names them (`column1`, …); none where the text is cut off before.
    """
    head = _HEAD.match(text)
    if head is None:
        return ()
    if head["columns"] is not None:
        return known_columns(head["columns"])
    row = _NEXT_ROW.match(text, head.end())
    if row is None:
        return ()
    try:
        fields, _ = _fields(text, row.end(), standard_strings)
    except BackupError:
        return ()  # a first row that is longer than what was read
    return [f"column{number}" for number in range(1, len(fields) + 1)]


def first_rows(text: str, standard_strings: bool = True) -> list[list[Value]]:
    """Return some rows of the INSERT statements that a text begins with, as they are written.

    Only of statements that name no columns; a row that is cut off is left out.
    """
    rows: list[list[Value]] = []
    at = 0
    while len(rows) < _ENOUGH and (head := _HEAD.match(text, at)):
        if head["columns"] is not None or head["kind"].upper() != "VALUES":
            break
        at = head.end()
        while row := _NEXT_ROW.match(text, at):
            values: list[Value] = []
            at = row.end()
            while match := _VALUE[standard_strings].match(text, at):
                at = match.end()
                values.append(_written(match))
                if match["end"] == ")":
                    rows.append(values)
                    break
            else:
                return rows
        at = text.find(";", at) + 1
        if not at:
            break
    return rows


def _written(match: re.Match[str]) -> Value:
    bare = match["bare"]
    if bare is None:
        quoted = match["string"] or match["escaped"] or match["bits"] or ""
        return Value(quoted, quoted=True)
    text = bare if bare.lower() == "default" else _BARE.get(bare.lower(), bare)
    return Value(None if text == NULL else text, quoted=False)


class Names(NamedTuple):
    """What the definition of a table asks of the names in a statement.

    Attributes:
        known: those that it may give, where that is sure.
        filled: columns that a server fills in where it does not name them.
    """

    known: frozenset[str] | None = None
    filled: frozenset[str] = frozenset()


_ANY_NAMES = Names()


def whole_statements(
    chunks: Iterable[bytes], standard_strings: bool = True, max_row: int | None = None
) -> Iterator[bytes]:
    """Cut a byte stream of statements into runs of whole ones.

    Args:
        chunks: the stream.
        standard_strings: the setting `standard_conforming_strings` in force.
        max_row: how long a statement may be; None is without limit.

    Raises:
        BackupError: the stream ends within a statement.
        LongRowError: a statement is longer than is allowed; those before it have been yielded.
    """
    rest = b""
    at = 0  # where it begins
    for chunk in chunks:
        rest += chunk
        # A semicolon at the very end of what is there might yet be followed by more of a string:
        # it cannot, because the lexer only stops at one that stands outside of quotes.
        whole, longest = _statements_in(rest, standard_strings, max_row)
        if whole:
            yield rest[:whole]
            at += whole
            rest = rest[whole:]
        if longest is not None:
            raise LongRowError(at + len(rest) - len(rest.lstrip()), longest)
    if rest.strip():
        raise BackupError(
            "The rows, written as INSERT statements, break off within a statement.",
            "Look for a complete copy.",
        )


def _statements_in(
    text: bytes, standard_strings: bool, max_row: int | None
) -> tuple[int, int | None]:
    """How far the statements of a text are whole, and short enough.

    The second is the size, as far as it goes, of one behind them that is too long, or None.
    """
    whole = 0
    while whole < len(text):
        end = lexer.statement_end(text, whole, standard_strings)
        size = (end or len(text)) - whole
        if max_row is not None and size > max_row:
            return whole, size
        if end is None:
            break
        whole = end
    return whole, None


def copy_blocks(
    statements: Iterable[bytes],
    table_columns: Sequence[str],
    columns: Sequence[str],
    standard_strings: bool = True,
    names: Names = _ANY_NAMES,
) -> Iterator[bytes]:
    """Yield the rows of INSERT statements as blocks of COPY text.

    Args:
        statements: UTF-8 text of whole INSERT statements of one table, in runs.
        table_columns: what a statement without a column list means, in order.
        columns: the columns wanted, in order; one that a statement does not name is NULL.
        standard_strings: the setting `standard_conforming_strings` in force.
        names: what is asked of the names that a statement gives.

    Raises:
        BackupError: a statement is none that pg_dump writes.
    """
    reader = _Reader(table_columns, columns, standard_strings, names)
    out: list[str] = []
    size = 0
    try:
        for lines in _lines(statements, reader):
            out += lines
            size += sum(map(len, lines))
            if size > _FLUSH:
                yield "".join(out).encode("utf-8")
                out, size = [], 0
    except BackupError:
        if out:
            yield "".join(out).encode("utf-8")
        raise
    if out:
        yield "".join(out).encode("utf-8")


def _lines(statements: Iterable[bytes], reader: _Reader) -> Iterator[list[str]]:
    """Yield the rows of each statement, each a line of COPY text."""
    passed = 0  # lines before a run of statements
    for run in statements:
        text, broken = _text_of(run)
        at = 0
        try:
            while head := _HEAD.match(text, at):
                lines, at = reader.read(text, head)
                yield lines
            if text[at:].strip():
                raise _odd(text, at)
        except OddStatementError as error:
            broken = broken or error
        if broken:
            broken.line += passed
            raise broken
        passed += text.count("\n")


def _text_of(run: bytes) -> tuple[str, OddStatementError | None]:
    """A run of statements as far as it is text, and what is to be said where it is none."""
    odd = odd_bytes(run)
    if odd is None:
        return run.decode("utf-8"), None
    error = OddStatementError(f"An INSERT statement holds {odd.words}.", ODD_HINT)
    error.line = run.count(b"\n", 0, odd.at) + 1
    return run[: odd.at].decode("utf-8"), error


class _Reader:
    """Statements of one table, read one at a time into lines of COPY text."""

    def __init__(
        self,
        table_columns: Sequence[str],
        columns: Sequence[str],
        standard_strings: bool,
        names: Names,
    ) -> None:
        self._names = names
        self._table_columns = table_columns
        self._columns = columns
        self._standard_strings = standard_strings
        self._nulls = "\t".join([NULL] * len(columns)) + "\n"
        self._list: str | None = None
        self._take(table_columns)

    def read(self, text: str, head: re.Match[str]) -> tuple[list[str], int]:
        """Return the rows of the statement that begins with `head`, and where it ends."""
        at = head.end()
        if head["columns"] != self._list:
            self._take_list(text, head)
        lines: list[str] = []
        if head["kind"].upper() != "VALUES":
            lines.append(self._nulls)
        else:
            while row := _NEXT_ROW.match(text, at):
                fields, at = _fields(text, row.end(), self._standard_strings)
                if len(fields) != self._width:
                    raise _ragged(text, at, len(fields), self._width)
                fields.append(NULL)  # what stands at the place _LACKING
                line = "\t".join([fields[place] for place in self._places]) + "\n"
                if _NOT_SAID in line:
                    raise _odd(text, at)
                lines.append(line)
        end = _TAIL.match(text, at)
        if end is None:
            raise _odd(text, at)
        return lines, end.end()

    def _take_list(self, text: str, head: re.Match[str]) -> None:
        """Go by another list of columns from here on; where none is given, by the table's."""
        listed: str | None = head["columns"]
        named = self._table_columns
        if listed is not None:
            named = known_columns(listed)
            known = self._names.known
            if len({*named}) < len(named):
                raise _misnamed(text, head, "a column twice")
            if known is not None and not known.issuperset(named):
                raise _misnamed(text, head, "a column that its table has not")
            if not self._names.filled.intersection(self._columns) <= {*named}:
                raise _misnamed(text, head, "only some columns, and a server fills others in")
        self._list = listed
        self._take(named)

    def _take(self, named: Sequence[str]) -> None:
        place_of = {name: place for place, name in enumerate(named)}
        self._width = len(named)
        self._places = [place_of.get(column, _LACKING) for column in self._columns]


def _fields(text: str, at: int, standard_strings: bool) -> tuple[list[str], int]:
    """Read a row's values, from after its parenthesis; return them as COPY's, and its end."""
    value = _VALUE[standard_strings]
    fields: list[str] = []
    while match := value.match(text, at):
        at = match.end()
        if (plain := match["string"]) is not None:
            plain = plain.replace("''", "'")
            if not standard_strings:
                plain = unescape(plain)
            fields.append(encode_field(plain))
        elif (bare := match["bare"]) is not None:
            fields.append(_BARE.get(bare.lower(), bare))
        elif (bits := match["bits"]) is not None:
            fields.append(bits)
        else:
            # COPY's escapes are those of E'' strings, but for \u, which pg_dump never writes.
            fields.append(encode_field(unescape(match["escaped"].replace("''", "'"))))
        if match["end"] == ")":
            return fields, at
    raise _odd(text, at)


def _misnamed(text: str, head: re.Match[str], what: str) -> OddStatementError:
    error = OddStatementError(
        f"An INSERT statement names {what}.",
        "Look for another copy of the backup, or mend the statement in a copy of the file.",
    )
    error.line = text.count("\n", 0, head.start("columns")) + 1
    return error


def _ragged(text: str, at: int, values: int, columns: int) -> OddStatementError:
    error = OddStatementError(
        f"A row has {values} values, and its table {columns} columns.",
        "The backup does not say which are meant: make one with pg_dump --column-inserts, or one"
        " that defines its tables.",
    )
    error.line = text.count("\n", 0, at) + 1
    return error


def _odd(text: str, at: int) -> OddStatementError:
    error = OddStatementError(
        "An INSERT statement is of a kind that pg_dump does not write.",
        "Was the dump edited? Rows can be read from COPY and from INSERT … VALUES with literals.",
    )
    error.line = text.count("\n", 0, at) + 1
    return error
