"""Statements that are none, and where a dump that is damaged at a place can be read on.

A byte that flipped, a line or a mark that was lost: what stands there is no statement that any
PostgreSQL knows, or one that runs into the next object's heading. What is behind it is whole again
from the next heading, or from behind the rows, on.
"""

from __future__ import annotations

import mmap
import re

from forensics.evidence.plain import lexer, patterns
from forensics.evidence.reading import let_go

# What a statement of any PostgreSQL begins with, of programs built on it included.
_COMMANDS = frozenset(
    b"""ABORT ALTER ANALYSE ANALYZE BEGIN CALL CHECKPOINT CLOSE CLUSTER COMMENT COMMIT COPY CREATE
    DEALLOCATE DECLARE DELETE DISCARD DO DROP END EXECUTE EXPLAIN EXPORT EXTEND FETCH GRANT IMPORT
    INSERT INSTALL LISTEN LOAD LOCK MERGE MOVE NOTIFY OPTIMIZE PREPARE REASSIGN REFRESH REINDEX
    RELEASE REPACK REPAIR RESET REVOKE ROLLBACK SAVEPOINT SECURITY SELECT SET SHOW START TABLE
    TRUNCATE UNLISTEN UNLOAD UNLOCK UPDATE UPSERT USE VACUUM VALUES WAIT WITH""".split()
)
_WORD = re.compile(rb"[A-Za-z_\x80-\xff][\w$\x80-\xff]*+")
_NO_WORD = b"(;:"  # a query in parentheses, nothing at all, a variable of psql

# What pg_dump writes above each object, and at the end.
HEADING = re.compile(
    rb"^--\r?\n-- (?:Name: |Data for (?:Name|TOC)|TOC entry \d)"
    rb"|^--\r?\n-- (?:PostgreSQL|Greenplum Database) database "
    rb"|^-- (?:Data for )?Name: [^\r\n]*; Type: ",
    re.M,
)
_MARKER = re.compile(rb"^\\\.\r?$", re.M)
# What seems to have been a COPY, or its end: rows may follow.
_WAS_COPY = re.compile(
    rb"\W?(?:.?OPY|C.?PY|CO.?Y|COP.?)\b"
    rb"|[^\r\n]*(?:\bst.{0,2}din|\bs.?t.?d.?i.?n;|FROM [^\s']+;\s*$)",
    re.I | re.M,
)
_NEXT = re.compile(rb"^(?:INSERT INTO|COPY|ALTER|CREATE|SET|SELECT|COMMENT ON|GRANT) ", re.M)
# A COPY whose rows stand where its semicolon should be.
UNENDED = re.compile(
    rb"(COPY\s+(" + patterns.NAME + rb"(?:\s*\.\s*" + patterns.NAME + rb")?)"
    rb'\s*(?:\([^()"]*+(?:"[^"]*+"[^()"]*+)*+\))?\s*FROM\s+stdin)'
    rb"(?!\s*(?:;|\(|--|/\*|(?:WITH|DELIMITERS?|NULL|CSV|BINARY|HEADER|USING|WHERE|OIDS)\b))",
    re.I,
)
# A COPY from or to somewhere else than the file itself.
_ELSEWHERE = re.compile(rb"\b(?:FROM|TO)\s+(?:PROGRAM\s+)?[Ee]?'|\bTO\s+STDOUT\b", re.I)
COPIES_INTO = re.compile(
    rb"COPY\s+(" + patterns.NAME + rb"(?:\s*\.\s*" + patterns.NAME + rb")?)", re.I
)
_COPY_LINE = re.compile(rb"^COPY (\S+) [^\t\r\n]*FROM stdin;\r?$", re.M)
_BLANK_LINES = re.compile(rb"(?<=\n)(?:\r?\n){1,2}\Z")
_GLUED_MARKER = re.compile(rb"(\\+)\.\r?\n?\Z")
_AROUND = 8
_PIECE = 16 << 20


def is_command(head: bytes) -> bool:
    """Whether a statement begins as one of PostgreSQL may."""
    if head[:1] and head[:1] in _NO_WORD:
        return True
    word = _WORD.match(head)
    return word is not None and word[0].upper() in _COMMANDS


def copies_elsewhere(head: bytes) -> bool:
    """Whether a COPY is from or to a file, a program or a bucket, whatever else it says."""
    return _ELSEWHERE.search(head) is not None


def heading(text: lexer.Text, at: int, end: int) -> int | None:
    """Where the next object's heading begins, or None."""
    found = HEADING.search(text, at, end)
    if found is None:
        return None
    return found.start()


def crossed(text: lexer.Text, at: int, end: int, standard_strings: bool) -> int | None:
    """Where a statement runs into a heading that stands outside of its quotes, or None."""
    if text.find(b"\n--", at, end) < 0:
        return None
    found = heading(text, at + 1, end)
    if found is None:
        return None
    before = bytes(text[at:found])
    if lexer.statement_end(before + b";", 0, standard_strings) != len(before) + 1:
        return None
    return found


def resume(text: lexer.Text, at: int, end: int | None, size: int) -> int:
    """Where to read on behind what is no statement.

    Args:
        at: where that begins.
        end: where it would end, or None.
        size: of the text.
    """
    next_heading = heading(text, at + 1, size)
    within = size if next_heading is None else next_heading
    if next_heading is not None or _WAS_COPY.match(text, at):
        marker = _MARKER.search(text, at, within)
        if marker:
            return min(marker.end() + 1, size)
    if end is not None and end <= within and not _WAS_COPY.match(text, at):
        return end
    if next_heading is None:
        follows = _NEXT.search(text, at + 1, size)
        return follows.start() if follows else size
    return next_heading


def stray_copy(text: mmap.mmap, start: int, stop: int, width: int) -> int | None:
    """Where among a table's rows the next table's COPY stands, so that an end marker was lost.

    Args:
        start, stop: of the rows, as far as an end marker follows.
        width: how many fields a row has; where it is one, rows may look like a COPY.
    """
    at = _found(text, patterns.COPY_END, start, stop)
    while at >= 0:
        line = text.rfind(b"\n", start, at) + 1
        match = _COPY_LINE.match(text, max(line, start), stop)
        if match and (width > 1 or _is_of_the_file(text, start, stop, match)):
            return match.start()
        at = _found(text, patterns.COPY_END, at + 1, stop)
    return None


def _found(text: mmap.mmap, wanted: bytes, start: int, stop: int) -> int:
    """Where bytes stand, or -1; what was searched no longer counts as this process's memory."""
    for at in range(start, stop, _PIECE):
        end = min(at + _PIECE, stop)
        found = text.find(wanted, at, min(end + len(wanted), stop))
        if found >= 0:
            return found
        first = -(-at // mmap.PAGESIZE) * mmap.PAGESIZE
        let_go(text, first, end - first)
    return -1


def _is_of_the_file(text: lexer.Text, start: int, stop: int, copy: re.Match[bytes]) -> bool:
    """Whether a COPY among rows of one column is the only one of a table that the file makes."""
    if text.find(b"\n" + copy[0], stop) >= 0 or text.rfind(b"\n" + copy[0], 0, start) >= 0:
        return False
    return text.rfind(b"CREATE TABLE " + copy[1] + b" (", 0, start) >= 0


def heading_above(text: lexer.Text, start: int, copy: int, *, first: bool) -> int:
    """Where the heading of a stray COPY begins, or the COPY where it has none.

    Args:
        start: of the rows that it stands among.
        copy: where it stands.
        first: whether the first heading will do, since none can be a row.
    """
    found = copy
    for match in HEADING.finditer(text, start, copy):
        found = match.start()
        if first:
            break
    return found


def end_of_rows(text: lexer.Text, start: int, stop: int) -> int:
    """Where rows end that something else than an end marker follows at `stop`.

    Two blank lines belong to what follows. A row to whose end the marker got does not count.
    """
    blank = _BLANK_LINES.search(text, max(start, stop - _AROUND), stop)
    if blank:
        stop = blank.start()
    line = max(text.rfind(b"\n", start, max(start, stop - 1)) + 1, start)
    glued = _GLUED_MARKER.search(text, line, stop)
    if glued and len(glued[1]) % 2:
        return line
    return stop
