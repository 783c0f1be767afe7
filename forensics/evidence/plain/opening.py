"""Where a plain dump begins in its file: behind a byte order mark, and what a tool said first."""

from __future__ import annotations

import mmap
import re

import postgast

_LOOKED_AT = 1 << 16
_MARK = b"\xef\xbb\xbf"
_HEAD = re.compile(rb"^--[^\n]* database(?: cluster)? dump[ \t\r]*$", re.M)
_META_COMMAND = re.compile(rb"^\\[^\n]*", re.M)
_BRINGS_SOMETHING = re.compile(rb"^\s*(?:COPY|INSERT|CREATE)\b", re.M | re.I)
_NO_TEXT = re.compile(rb"[\x00-\x06\x0e-\x1a]")
_COMMENT = re.compile(r"--[^\n]*")


def opening(text: mmap.mmap) -> tuple[int, int]:
    """Return where a dump begins, and how many lines before its head are none of its own.

    Redirecting a program's output puts into the backup what the program says, too.
    """
    head = text[:_LOOKED_AT]
    start = 0
    if head.startswith(_MARK):
        start = len(_MARK)
    first = _HEAD.search(head, start)
    if first is None:
        return start, 0
    before = head[start : first.start()]
    if _NO_TEXT.search(before) or _is_sql(before):
        return start, 0
    lines = before.rstrip().removesuffix(b"--").strip()
    return first.start(), len(lines.splitlines())


def _is_sql(text: bytes) -> bool:
    """Whether text is whole statements, comments and commands of psql, or may be."""
    if _BRINGS_SOMETHING.search(text):
        return True
    statements = _META_COMMAND.sub(b"", text).decode("utf-8", "replace")
    try:
        postgast.parse(statements)
    except postgast.PgQueryError:
        return False
    bare = _COMMENT.sub("", statements).strip()
    return not bare or bare.endswith((";", "*/"))
