"""SQL in which no character turns round how it reads.

Controls of bidirectional text make a script look like another one. They are written as escapes:
the values stay what they are, and who reads the script sees them.
"""

from __future__ import annotations

import re

from forensics.text import visible

_STEERS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_STEERING = re.compile(f"[{_STEERS}]")
_IN_ESCAPES = re.compile(rf"\\(.)|([{_STEERS}])", re.S)
_TOKEN = re.compile(
    r"(?P<command>^\\[^\n]*)|(?P<comment>--[^\n]*|/\*.*?\*/)"
    r"|\$(?P<tag>\w*)\$(?P<body>.*?)\$(?P=tag)\$"
    r"|[eE]'(?P<escapes>(?:[^'\\]|\\.|'')*)'"
    r"""|(?P<unicode>[uU]&(?:'(?:[^']|'')*'|"(?:[^"]|"")*"))"""
    r"""|'(?P<text>(?:[^']|'')*)'|"(?P<name>(?:[^"]|"")*)\""""
    rf"|(?P<bare>[\w$]*[{_STEERS}][\w${_STEERS}]*)",
    re.S | re.M,
)


def unsteered(sql: str) -> str:
    """Return SQL that means the same, its steering characters as escapes.

    Args:
        sql: whole statements and comments; no rows of COPY.
    """
    if not _STEERING.search(sql):
        return sql
    return _TOKEN.sub(_rewritten, sql)


def _rewritten(token: re.Match[str]) -> str:
    if not _STEERING.search(token[0]):
        return token[0]
    kind = token.lastgroup or ""
    if kind in ("command", "comment"):
        return visible(token[0])
    if kind == "unicode":
        return _STEERING.sub(_unicode, token[0])
    found = token[kind]
    if kind == "escapes":
        return f"E'{_IN_ESCAPES.sub(_escape, found)}'"
    if kind == "text":
        return _escape_string(found)
    if kind == "body":
        return _escape_string(found.replace("'", "''"))
    if kind == "bare":
        found = found.lower()
    doubled = found.replace("\\", "\\\\")
    return f'U&"{_STEERING.sub(_unicode, doubled)}"'


def _escape_string(text: str) -> str:
    doubled = text.replace("\\", "\\\\")
    return f"E'{_STEERING.sub(_escaped, doubled)}'"


def _escape(found: re.Match[str]) -> str:
    plain, steering = found.groups()
    if steering or _STEERING.match(plain):
        return f"\\u{ord(steering or plain):04x}"
    return found[0]


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _unicode(found: re.Match[str]) -> str:
    return f"\\{ord(found[0]):04x}"
