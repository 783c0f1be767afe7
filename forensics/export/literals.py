r"""String literals of before `standard_conforming_strings`: '\\' was one backslash in them.

PostgreSQL 19 reads them so no longer; E'…' means the same everywhere. What stands between dollars,
in double quotes or in comments is no literal, and stays.
"""

from __future__ import annotations

import re

_ALONE = rb"(?<![A-Za-z0-9_$\x80-\xff])"
_TAG = rb"(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*+)?"
_TEXT = rb"'(?:[^'\\]|\\.)*+'"
_PIECE = re.compile(
    rb"--[^\n]*+|/\*.*?\*/|\"[^\"]*+\""
    rb"|" + _ALONE + rb"[eE]" + _TEXT
    + rb"|" + _ALONE + rb"\$(" + _TAG + rb")\$.*?\$\1\$"
    rb"|(?P<literal>(?P<national>" + _ALONE + rb"[nN])?" + _TEXT + rb"(?:" + _TEXT + rb")*+)",
    re.S,
)  # fmt: skip


def standard(sql: bytes) -> bytes:
    r"""Return SQL of a session without standard strings so that it means the same with them.

    Args:
        sql: whole statements, in an encoding that extends ASCII.
    """
    if b"\\" not in sql:
        return sql
    return _PIECE.sub(_spelled, sql)


def _spelled(found: re.Match[bytes]) -> bytes:
    literal = found["literal"]
    if literal is None or b"\\" not in literal:
        return found[0]
    if found["national"]:
        literal = literal[1:]
    before = found.string[found.start() - 1 : found.start()]
    glued = before.isalnum() or before in (b"_", b"$", b'"')
    return (b" E" if glued else b"E") + literal
