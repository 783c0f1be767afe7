"""What every script is written with: quoting, comments, dollar quotes, private files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import IO

from forensics.errors import RecoveryError
from forensics.model import TableName, quote_identifier, quote_literal
from forensics.recovery.write.steering import unsteered
from forensics.text import visible

_SHA256 = 11  # the first version that has it as a function


def template(name: str) -> str:
    """Return the text of `queries/NAME.sql`."""
    folder = resources.files("forensics.recovery.write") / "queries"
    return (folder / f"{name}.sql").read_text(encoding="utf-8")


def literal(text: str | None) -> str:
    """Return text as an SQL literal, under standard_conforming_strings."""
    if text is None:
        return "NULL"
    return quote_literal(text)


def hash_of(text: str, server: str | None) -> str:
    """Return the expression for a hash of a text, in hexadecimal digits.

    A server in FIPS mode refuses md5(), and one before 11, which does not, has no sha256().

    Args:
        text: the expression for the text.
        server: the version of the server that works it out, None for one of our own.
    """
    major = re.match(r"\d+", server or "")
    if major and int(major[0]) < _SHA256:
        return f"md5({text})"
    return f"encode(sha256(convert_to({text}, getdatabaseencoding())), 'hex')"


def array(values: Sequence[str]) -> str:
    """Return texts as an SQL array literal."""
    return f"array[{', '.join(map(literal, values))}]::text[]"


def psql_text(text: str) -> str:
    """Return text as an argument of a psql command, in which backslashes mean something."""
    return literal(text.replace("\\", "\\\\"))


def listed(columns: Sequence[str]) -> str:
    """Return column names, quoted, with commas between them."""
    return ", ".join(quoted(columns))


def quoted(columns: Sequence[str]) -> list[str]:
    """Return column names, quoted."""
    return [quote_identifier(column) for column in columns]


def sql_names(names: Iterable[TableName]) -> list[str]:
    """Return names of tables, types or sequences as SQL writes them."""
    return [name.sql for name in names]


def copy_in(table: str, columns: Sequence[str]) -> str:
    """Return the COPY that takes rows of some columns in; a table may have none."""
    listing = f"({listed(columns)})" if columns else ""
    return f"COPY {table} {listing} FROM STDIN"


def comment(text: object) -> str:
    """Return text for an SQL comment: in one line, none of it steering a terminal or an eye."""
    return visible(text)


@contextmanager
def private_file(path: Path) -> Iterator[IO[str]]:
    """Open a file for writing that only its owner can read: it will hold rows of customers.

    Raises:
        RecoveryError: it cannot be written.
    """
    try:
        path.unlink(missing_ok=True)
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w", encoding="utf-8", newline="\n") as file:
            yield file
    except OSError as error:
        raise RecoveryError(
            f"{path} cannot be written: {error.strerror}.",
            "Is the disk full? Choose another folder with --out.",
        ) from error


def emit(out: IO[str], *texts: str) -> None:
    """Write texts of SQL, each with a line feed after it."""
    for text in texts:
        out.write(f"{unsteered(text)}\n")


def in_a_line(name: str | TableName) -> str:
    """Return a name as an SQL identifier in one line: for what people copy into a shell."""
    if isinstance(name, TableName):
        return f"{in_a_line(name.schema)}.{in_a_line(name.table)}"
    if name.isprintable():
        return quote_identifier(name)
    return f'U&"{"".join(map(_escaped, name))}"'


def _escaped(character: str) -> str:
    if character.isprintable() and character not in '"\\':
        return character
    return f"\\+{ord(character):06x}"


def block(lines: Sequence[str]) -> str:
    """Return a DO block around lines, in dollar quotes that do not occur in them."""
    text = "\n".join(lines)
    tag = tag_for(text)
    return f"DO {tag} BEGIN\n{text}\nEND {tag};"


def lock(table: TableName, mode: str = "SHARE ROW EXCLUSIVE") -> str:
    """Return the line of a DO block that locks a table until the script ends."""
    return f"  PERFORM pg_temp.lock({literal(table.sql)}, {literal(mode)});"


def taking(*statements: str) -> str:
    """Return a DO block that drops things, and stops where something else stands on them."""
    return block([f"  PERFORM pg_temp.take_away({literal(s)});" for s in statements])


def defining(statement: str) -> str:
    """Return a DO block that makes something that was dropped.

    It stops with what is in its way and what to do.
    """
    tag = tag_for(statement)
    return block([f"  PERFORM pg_temp.define({tag}{statement}{tag});"])


def writing(statement: str) -> str:
    """Return what runs a statement that writes rows as the application would.

    How many is kept in psql's variable `written`.
    """
    tag = tag_for(statement)
    return f"SELECT pg_temp.write({tag}{statement}{tag}) AS written \\gset"


def tag_for(text: str) -> str:
    """Return a dollar quote that does not occur in a text."""
    n = 0
    while f"$do{n or ''}$" in text:
        n += 1
    return f"$do{n or ''}$"
