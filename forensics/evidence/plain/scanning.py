"""One pass over a plain dump's text, which executes nothing and says what stands where.

The scanner knows as much SQL as `psql` does (its lexer decides where a statement ends): strings,
quoted identifiers, dollar quotes, comments, parentheses, BEGIN ATOMIC bodies. Only a COPY
statement that stands where a statement begins opens a run of rows, which ends at a line that is
exactly backslash and point; so text that looks like COPY inside functions, comments or rows fools
nobody. Meta-commands (\\restrict, \\connect, \\copy) are read as what they say.
"""

from __future__ import annotations

import mmap
import os
import re
from dataclasses import replace

from forensics.errors import BackupError, DamagedBackupError
from forensics.evidence.files import PlainFile
from forensics.evidence.names import known_columns
from forensics.evidence.plain import lexer, patterns
from forensics.evidence.plain.context import Context
from forensics.evidence.plain.copyforms import CopyForm
from forensics.evidence.plain.index import Comment, Draft, Heading, Index, Statement
from forensics.evidence.plain.markers import count_rows, find_ending
from forensics.evidence.plain.opening import opening
from forensics.model import TableName

_WITHIN_CONNECTION = re.compile(r"dbname='((?:[^'\\]|\\.)*)'")
_SHOWN = 120  # bytes of a statement
_OTHERS = {
    b"PK\x03\x04": "a ZIP file",
    b"7z\xbc\xaf": "a 7-Zip file",
    b"Rar!": "a RAR file",
}


def index(file: PlainFile) -> Index:
    """Index a plain dump in one pass.

    Raises:
        BackupError: the text is no dump at all.
    """
    if not file.size:
        raise _no_dump(file)
    with mmap.mmap(file.fd, 0, prot=mmap.PROT_READ) as text:
        found = _Scanner(text, file).scan()
    if not found.is_dump:
        raise _no_dump(file)
    return found


def _no_dump(file: PlainFile) -> BackupError:
    if file.damage:
        return DamagedBackupError(
            f"{file.path} is damaged: {file.damage}; not one statement of it can be read.",
            "Look for another copy of the backup.",
        )
    other = _OTHERS.get(os.pread(file.fd, 4, 0))
    if other:
        return BackupError(
            f"{file.path} is {other}, and no dump as it stands.",
            "Unpack it, and give the dump that is in it.",
        )
    return BackupError(
        f"{file.path} is not a PostgreSQL dump: no SQL statement and no archive header stands"
        " in it.",
        "Give a file or folder that pg_dump or pg_dumpall wrote.",
    )


class _Scanner:
    """The one pass over the unpacked text, up to `size`."""

    def __init__(self, text: mmap.mmap, file: PlainFile) -> None:
        self.text = text
        self.file = file
        self.size = len(text)
        self.here = Context(file)
        self.draft = Draft()
        self.nul: int | None = None

    def scan(self) -> Index:
        at, self.draft.asides = opening(self.text)
        while at < self.size and not self.draft.damage:
            at = patterns.SPACE.match(self.text, at).end()  # type: ignore[union-attr]
            if at < self.size:
                at = self._piece(at)
        self._doubt_inserts(self.size)
        if self.nul is not None:
            said = f"a NUL stands at byte {self.nul}, so it is corrupt there"
            if self.draft.damage:
                said += f"; {self.draft.damage}"
            self.draft.damage = said
        return self.draft.finished()

    def _piece(self, at: int) -> int:
        """Read the comment, command or statement that begins at `at`; return where it ends."""
        two = self.text[at : at + 2]
        if two == b"--":
            return self._comment(at)
        if two == b"/*":
            return self._text_until(lexer.comment_end(self.text, at), at)
        if two[:1] == b"\\":
            return self._meta_command(at)
        return self._statement(at)

    def _line(self, at: int) -> re.Match[bytes]:
        """The line from `at` on, its line feed included."""
        line = patterns.LINE.match(self.text, at)
        assert line
        return line

    def _text_until(self, end: int, start: int) -> int:
        """Return `end`, or where the text from `start` on ends before it.

        What stands behind a NUL is not what was written.
        """
        nul = self.text.find(b"\0", start, end)
        if nul < 0:
            return end
        self._end_at(nul)
        return nul

    def _end_at(self, nul: int) -> None:
        self.nul = self.size = nul

    def _doubt_inserts(self, upto: int) -> None:
        """Take a run of INSERTs for incomplete where nothing stands behind it up to `upto`.

        It has no end mark: where the text ends with one, more may have followed.
        """
        last = self.draft.last_inserts
        if last and not self.text[last.end : upto].strip():
            self.draft.data[-1] = replace(last, complete=False)

    # --- comments and meta-commands ---------------------------------------------------------------

    def _comment(self, at: int) -> int:
        line = self._line(at)
        words = line[0].strip().lstrip(b"-").strip()
        # "Name: …" headings of every other object are passed over.
        if words.startswith(patterns.WRITERS_WORDS):
            said = words.decode("utf-8", "replace")
            self.draft.comments.append(Comment(said, self.here.database))
            if words.endswith(b" database dump"):
                self.here.part += 1
        elif heading := patterns.DATA_HEADING.match(words):
            table = TableName(self.here.said(heading[2]), self.here.said(heading[1]))
            self.here.heading = table
            self.draft.announced.append(Heading(table, self.here.database))
        return self._text_until(line.end(), at)

    def _meta_command(self, at: int) -> int:
        line = self._line(at)
        command = line[0]
        if copy := patterns.COPY_IN.match(command):
            form = self.here.copy(copy[1])
            if form is not None:
                return self._copy(line.end(), form)
            said = self.here.said(command).strip()
            self.draft.elsewhere.append(f"it loads rows that are in another file: {said}")
        elif connect := patterns.CONNECT.match(command):
            self._connect(_unquoted(self.here.said(connect[1])))
        elif restrict := patterns.RESTRICT.match(command):
            self._restrict(restrict[2], lift=restrict[1] is not None)
        elif encoding := patterns.ENCODING.match(command):
            self._is_written_in(encoding[1])
        elif include := patterns.INCLUDE.match(command):
            said = self.here.said(include[1]).strip()
            self.draft.elsewhere.append(f"it includes {said}, which is not read")
        return self._text_until(line.end(), at)

    def _connect(self, database: str) -> None:
        if match := _WITHIN_CONNECTION.search(database):
            database = re.sub(r"\\(.)", r"\1", match[1])
        self.here.enter(database)
        self.draft.note_database(database)

    def _restrict(self, key: bytes, *, lift: bool) -> None:
        if not lift:
            self.draft.restricted = key
        elif key == self.draft.restricted:
            self.draft.restricted = None

    def _is_written_in(self, encoding: bytes) -> None:
        name = encoding.decode("ascii", "replace")
        self.here.encoding = name
        self.draft.encodings[self.here.database] = name

    # --- statements -------------------------------------------------------------------------------

    def _statement(self, at: int) -> int:
        end = lexer.statement_end(self.text, at, self.here.standard_strings)
        self._text_until(end or self.size, at)
        if end is None and self._is_aside(at):
            self.draft.asides += self.text[at:].count(b"\n") or 1
            return self.size
        if end is None or end > self.size:
            self.draft.damage = f"a statement that begins at byte {at} has no end"
            self._doubt_inserts(at)
            return self.size
        head = self.text[at : min(end, at + patterns.HEAD_BYTES)]
        word = head[:6].upper()
        if word == b"INSERT":
            insert = patterns.INSERT.match(head)
            insert = insert or patterns.INSERT.match(patterns.without_comments(head))
            if insert:
                return self._insert(at, end, insert[1])
        elif word.startswith(b"COPY"):
            after = self._copy_statement(at, end, head)
            if after is not None:
                return after
        self._note(head)
        self.draft.statements.append(Statement(at, end, self.here.database, self.here.encoding))
        return end

    def _is_aside(self, at: int) -> bool:
        """Whether what has no end at `at` stands behind the dump's own, and is a tool's words."""
        if self.nul is not None or not self.draft.is_closed:
            return False
        return not patterns.BRINGS.match(self.text, at)

    def _note(self, head: bytes) -> None:
        """Take note of what a statement sets, changes or makes."""
        if setting := patterns.SETTING.match(head):
            name = setting[1].lower()
            if name == b"client_encoding":
                self._is_written_in(setting[2])
            elif name == b"row_security":
                if setting[2].lower() in patterns.ON:
                    self.draft.row_security.append(self.here.database)
            else:
                self.here.standard_strings = setting[2].lower() == b"on"
        elif path := patterns.SEARCH_PATH.match(head):
            schema = _unquoted(self.here.said(path[1]))
            self.here.search_path = schema or self.here.search_path
        elif patterns.CHANGES_ROWS.match(head):
            shown = self.here.said(head[:_SHOWN])
            self.draft.edits.append(" ".join(shown.split()))
        if patterns.CREATES_TABLE.match(patterns.without_comments(head)):
            self.draft.note_tables(self.here.database)

    def _insert(self, at: int, end: int, name: bytes) -> int:
        table = self.here.table(name)
        last = self.draft.last_inserts
        if (
            last
            and last.table == table
            and last.database == self.here.database
            and last.written_for == self.here.heading
            and not self.text[last.end : at].strip()
        ):
            self.draft.data[-1] = replace(last, end=end)
            return end
        self.draft.note_tables(self.here.database)
        self.draft.data.append(replace(self.here.run(table, at, end), form="insert"))
        return end

    # --- rows that COPY brings in -----------------------------------------------------------------

    def _copy_statement(self, at: int, end: int, head: bytes) -> int | None:
        """Read a COPY and its rows; return where they end, or None where it brings none in."""
        form = self._copy_form(self.text[at:end])
        if form is not None:
            return self._copy(self._line(end).end(), form)
        if not patterns.FROM_STDIN.search(head):
            return None
        # Its rows would be taken for statements, and those behind them for none.
        self.draft.damage = (
            f"a COPY statement that PostgreSQL would not understand begins at byte {at}"
        )
        return self.size

    def _copy_form(self, statement: bytes) -> CopyForm | None:
        match = patterns.COPY.match(statement)
        if match is None:
            return self.here.copy(statement)
        table = self.here.table(match[1])
        if match[2] is None:
            return CopyForm(table, None)
        columns = known_columns(self.here.said(match[2]))
        if match[3]:
            columns.insert(0, "oid")  # a row's oid stands before what the list names
        return CopyForm(table, tuple(columns))

    def _copy(self, start: int, form: CopyForm) -> int:
        """Take the rows that begin at `start`; return where they end."""
        table = form.table
        if form.file is not None:
            self.draft.elsewhere.append(
                f"the rows of table {table} are in {form.file}, which is not read"
            )
            return start
        ending = find_ending(self.file.fd, start, self.size)
        if ending.nul is not None:
            self._end_at(ending.nul)
        stop = ending.marker
        if stop is None:
            # What follows the last line feed is part of a row at best.
            stop = max(self.text.rfind(b"\n", start - 1, self.size) + 1, start)
        run = replace(self.here.run(table, start, stop), columns=form.columns)
        if form.encoding or not form.usual:
            run = replace(run, copy=form)
        if self.text[start - 2 : start] == b"\r\n":
            run = replace(run, line_end=b"\r\n")
        self.draft.note_tables(self.here.database)
        if ending.marker is None:
            rows = count_rows(self.file, start, stop)
            self.draft.data.append(replace(run, rows=rows, complete=False))
            self.draft.damage = f"the rows of table {table} break off after {rows} whole rows"
            return self.size
        self.draft.data.append(run)
        return self._line(stop).end()


def _unquoted(text: str) -> str:
    """Return a name without its quotes, single or double."""
    quote = text[:1]
    if quote not in ('"', "'"):
        return text
    return text[1:-1].replace(quote * 2, quote)
