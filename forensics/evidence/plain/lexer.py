"""Where an SQL statement ends, by the rules of `psql`'s own lexer, on bytes that are not trusted.

Regular expressions with possessive quantifiers do the walking: they never backtrack, so a statement costs one pass
however it is made, and an INSERT of a dump costs one match.
"""

from __future__ import annotations

import mmap
import re

Text = bytes | bytearray | mmap.mmap

_IDENTIFIER = rb"[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*+"
_STRING = {
    True: rb"'[^']*+'",  # standard_conforming_strings = on; a doubled quote is two strings side by side
    False: rb"'(?:[^'\\]|\\.)*+'",
}
# %(identifier)s, %(string)s and %(nesting)s are filled in below. A lone dollar or an unclosed quote matches nothing:
# the statement then has no end, which is what a cut-off file looks like.
_PIECES = (
    rb"(?:[^'\"$;()\-/\\A-Za-z_\x80-\xff]++|[eE]'(?:[^'\\]|\\.)*+'|%(identifier)s|%(string)s|\"[^\"]*+\""
    rb"|\$((?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*+)?)\$.*?\$\1\$|\$[0-9]++"
    rb"|--[^\n]*+|-(?!-)|/(?!\*)|\\|%(nesting)s)*+"
)


def _pattern(
    identifier: bytes, string: bytes, nesting: bytes, end: bytes, flags: int
) -> re.Pattern[bytes]:
    return re.compile(
        _PIECES % {b"identifier": identifier, b"string": string, b"nesting": nesting} + end, flags
    )


_STATEMENT = {
    on: _pattern(_IDENTIFIER, s, rb"[()]|/\*.*?\*/", rb";", re.S) for on, s in _STRING.items()
}
_STRETCH = {
    on: _pattern(rb"(?!(?:begin|case|end)\b)" + _IDENTIFIER, s, rb"(?!)", rb"", re.S | re.I)
    for on, s in _STRING.items()
}
_NESTS = re.compile(rb"CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE|RULE)\b|[^;]*?/\*", re.I)
_WORD = re.compile(_IDENTIFIER)
_COMMENT_EDGE = re.compile(rb"/\*|\*/")


def statement_end(text: Text, at: int, standard_strings: bool = True) -> int | None:
    """Return the offset after the semicolon that ends the statement beginning at `at`, or None where it has no end.

    Args:
        text: SQL in an encoding that extends ASCII.
        at: where the statement begins.
        standard_strings: the setting `standard_conforming_strings` in force there.
    """
    if not _NESTS.match(text[at : at + 512]):
        match = _STATEMENT[standard_strings].match(text, at)
        return match.end() if match else None
    # Functions may hold BEGIN ATOMIC … END, rules a list in parentheses, comments may nest: count levels.
    parentheses = begins = 0
    stretch = _STRETCH[standard_strings]
    while at < len(text):
        at = stretch.match(text, at).end()  # type: ignore[union-attr]
        one = text[at : at + 1]
        if one == b"(":
            parentheses += 1
        elif one == b")":
            parentheses = max(0, parentheses - 1)
        elif one == b";":
            if not parentheses and not begins:
                return at + 1
        elif one == b"/":
            at = comment_end(text, at)
            continue
        elif word := _WORD.match(text, at):
            spelled = word[0].lower()
            if spelled == b"begin" or (spelled == b"case" and begins):
                begins += 1
            elif spelled == b"end" and begins:
                begins -= 1
            at = word.end()
            continue
        else:
            return None
        at += 1
    return None


def comment_end(text: Text, at: int) -> int:
    """Return the offset after the comment that begins at `at` with a slash and a star; comments nest."""
    level = 0
    for match in _COMMENT_EDGE.finditer(text, at):
        level += 1 if match[0] == b"/*" else -1
        if not level:
            return match.end()
    return len(text)
