"""One pass over a plain dump's text, which executes nothing and says what stands where.

The scanner knows as much SQL as `psql` does (its lexer decides where a statement ends): strings,
quoted identifiers, dollar quotes, comments, parentheses, BEGIN ATOMIC bodies. Only a COPY
statement that stands where a statement begins opens a run of rows, which ends at a line that is
exactly backslash and point; so text that looks like COPY inside functions, comments or rows fools
nobody. Meta-commands (\\restrict, \\connect, \\copy) are read as what they say.
"""

from __future__ import annotations

import mmap
import re
from dataclasses import replace

from forensics.errors import BackupError, DamagedBackupError, EmptyBackupError
from forensics.evidence.files import PlainFile
from forensics.evidence.plain import going_on, lexer, patterns
from forensics.evidence.plain.copies import CopyWalk
from forensics.evidence.plain.index import Comment, Heading, Index, Statement
from forensics.evidence.plain.opening import opening
from forensics.evidence.reading import let_go, read_at
from forensics.model import TableName

_WITHIN_CONNECTION = re.compile(r"dbname='((?:[^'\\]|\\.)*)'")
_SHOWN = 120  # bytes of a statement
_OTHERS = {
    b"PK\x03\x04": "a ZIP file",
    b"7z\xbc\xaf": "a 7-Zip file",
    b"Rar!": "a RAR file",
}


_LET_GO = 16 << 20


def index(file: PlainFile) -> Index:
    """Index a plain dump in one pass.

    Raises:
        BackupError: the text is no dump at all.
    """
    if not file.size:
        raise _no_dump(file)
    with mmap.mmap(file.fd, 0, access=mmap.ACCESS_READ) as text:
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
    other = _OTHERS.get(read_at(file.fd, 4, 0))
    if other:
        return BackupError(
            f"{file.path} is {other}, and no dump as it stands.",
            "Unpack it, and give the dump that is in it.",
        )
    return EmptyBackupError(
        f"{file.path} is not a PostgreSQL dump: no SQL statement and no archive header stands"
        " in it.",
        "Give a file or folder that pg_dump or pg_dumpall wrote.",
    )


class _Scanner(CopyWalk):
    """The one pass over the unpacked text, up to `size`."""

    _gone = 0

    def scan(self) -> Index:
        at, self.draft.asides = opening(self.text)
        while at < self.size and not self.draft.damage:
            at = patterns.SPACE.match(self.text, at).end()  # type: ignore[union-attr]
            if at < self.size:
                at = self._piece(at)
            self._let_go(at)
        self._doubt_inserts(self.size)
        if self.nul is not None:
            said = f"a NUL stands at byte {self.nul}, so it is corrupt there"
            if self.draft.damage:
                said += f"; {self.draft.damage}"
            self.draft.damage = said
        return self.draft.finished()

    def _let_go(self, at: int) -> None:
        """Have what was passed no longer count as this process's memory; the system caches it."""
        upto = at // _LET_GO * _LET_GO
        if upto > self._gone:
            let_go(self.text, self._gone, upto - self._gone)
            self._gone = upto

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
            self.here.leave()
        elif heading := patterns.DATA_HEADING.match(words):
            table = TableName(self.here.said(heading[2]), self.here.said(heading[1]))
            self.draft.announced.append(Heading(table, self.here.database, at))
            self.here.announce(table)
        elif patterns.OTHER_HEADING.match(words):
            self.here.leave()
        elif patterns.BEGINS_HEADING.match(words) and self.draft.is_by_pg_dump:
            # What stood behind its first words is lost.
            self._harm(at, "a heading that breaks off stands", line.end())
            self.here.leave()
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
        if copy := going_on.UNENDED.match(self.text, at):
            return self._unended_copy(copy)
        standard = self.here.standard_strings
        end = lexer.statement_end(self.text, at, standard)
        self._text_until(end or self.size, at)
        if end is None and self._is_aside(at):
            self.draft.asides += self.text[at:].count(b"\n") or 1
            return self.size
        if end is None or end > self.size:
            return self._endless(at)
        after = going_on.crossed(self.text, at, end, standard)
        if after is not None:
            return self._harm(at, "a statement without an end begins", after)
        head = self.text[at : min(end, at + patterns.HEAD_BYTES)]
        after = self._rows_of(at, end, head)
        if after is not None:
            return after
        if not going_on.is_command(head) and self._is_within_dump:
            return self._no_statement(at, end)
        self._note(head)
        made = patterns.MAKES_TABLE.match(head)
        self._doubt_text(at, self.text[at:end], self.here.table(made[1]) if made else None)
        self.draft.statements.append(Statement(at, end, self.here.database, self.here.encoding))
        return end

    def _rows_of(self, at: int, end: int, head: bytes) -> int | None:
        """Read a statement that brings rows in, and them; return where it goes on, or None."""
        word = head[:6].upper()
        if word == b"INSERT":
            insert = patterns.INSERT.match(head)
            insert = insert or patterns.INSERT.match(patterns.without_comments(head))
            if insert:
                return self._insert(at, end, insert[1])
            return self._no_statement(at, end)
        if word.startswith(b"COPY"):
            return self._copy_statement(at, end, head)
        return None

    def _endless(self, at: int) -> int:
        """Take note of a statement without an end; return where it goes on."""
        after = going_on.heading(self.text, at + 1, self.size)
        if after is not None and self.nul is None:
            return self._harm(at, "a statement without an end begins", after)
        self.draft.damage = f"a statement that begins at byte {at} has no end"
        self._doubt_inserts(at)
        return self.size

    def _no_statement(self, at: int, end: int) -> int:
        after = going_on.resume(self.text, at, end, self.size)
        return self._harm(at, "what is no statement of PostgreSQL begins", after)

    @property
    def _is_within_dump(self) -> bool:
        """Whether a dump has begun and not ended: others may write before it and behind."""
        draft = self.draft
        if draft.is_closed:
            return False
        return bool(draft.comments or draft.statements or draft.data or draft.announced)

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
        self._doubt_text(at, name, table)
        last = self.draft.last_inserts
        if (
            last
            and last.table == table
            and last.database == self.here.database
            and last.written_for == self.here.within
            and not self.text[last.end : at].strip()
        ):
            self.draft.data[-1] = replace(last, end=end)
            return end
        self.draft.note_tables(self.here.database)
        run = self.here.run(table, at, end)
        self.draft.data.append(replace(run, form="insert", written_for=self.here.within))
        return end


def _unquoted(text: str) -> str:
    """Return a name without its quotes, single or double."""
    quote = text[:1]
    if quote not in ('"', "'"):
        return text
    return text[1:-1].replace(quote * 2, quote)
