"""Where an SQL statement ends, by the rules of `psql`'s own lexer, on bytes that are not trusted.

Regular expressions with possessive quantifiers do the walking: they never backtrack, so a
statement costs one pass however it is made, and an INSERT of a dump costs one match.
"""

from __future__ import annotations

import mmap
import re

Text = bytes | bytearray | mmap.mmap

_IDENTIFIER = rb"[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*+"
# By whether standard_conforming_strings is on; a doubled quote is two strings side by side.
_STRING = {
    True: rb"'[^']*+'",
    False: rb"'(?:[^'\\]|\\.)*+'",
}
# %(identifier)s, %(string)s and %(nesting)s are filled in below. A lone dollar or an unclosed
# quote matches nothing: the statement then has no end, which is what a cut-off file looks like.
_PIECES = (
    rb"(?:[^'\"$;()\-/\\A-Za-z_\x80-\xff]++"
    rb"|[eE]'(?:[^'\\]|\\.)*+'|%(identifier)s|%(string)s|\"[^\"]*+\""
    rb"|\$((?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*+)?)\$.*?\$\1\$|\$[0-9]++"
    rb"|--[^\n]*+|-(?!-)|/(?!\*)|\\|%(nesting)s)*+"
)


def _whole_statement(string: bytes) -> re.Pattern[bytes]:
    """What matches a statement in which nothing nests, its semicolon included."""
    pieces = {
        b"identifier": _IDENTIFIER,
        b"string": string,
        b"nesting": rb"[()]|/\*.*?\*/",
    }
    return re.compile(_PIECES % pieces + rb";", re.S)


def _stretch(string: bytes) -> re.Pattern[bytes]:
    """What matches as far as nothing begins or ends a level."""
    pieces = {
        b"identifier": rb"(?!(?:begin|case|end)\b)" + _IDENTIFIER,
        b"string": string,
        b"nesting": rb"(?!)",
    }
    return re.compile(_PIECES % pieces, re.S | re.I)


_STATEMENT = {on: _whole_statement(string) for on, string in _STRING.items()}
_STRETCH = {on: _stretch(string) for on, string in _STRING.items()}
_NESTS = re.compile(rb"CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE|RULE)\b|[^;]*?/\*", re.I)
_NESTS_WITHIN = 512
_WORD = re.compile(_IDENTIFIER)
_COMMENT_EDGE = re.compile(rb"/\*|\*/")


def statement_end(text: Text, at: int, standard_strings: bool = True) -> int | None:
    """Return the offset after the semicolon that ends a statement, or None where it has no end.

    Args:
        text: SQL in an encoding that extends ASCII.
        at: where the statement begins.
        standard_strings: the setting `standard_conforming_strings` in force there.
    """
    if _NESTS.match(text[at : at + _NESTS_WITHIN]):
        return _end_by_levels(text, at, _STRETCH[standard_strings])
    match = _STATEMENT[standard_strings].match(text, at)
    if match is None:
        return None
    return match.end()


def _end_by_levels(text: Text, at: int, stretch: re.Pattern[bytes]) -> int | None:
    # Functions may hold BEGIN ATOMIC … END, rules a list in parentheses, comments may nest:
    # count levels.
    parentheses = begins = 0
    while at < len(text):
        at = stretch.match(text, at).end()  # type: ignore[union-attr]
        one = text[at : at + 1]
        if one == b"(":
            parentheses += 1
        elif one == b")":
            parentheses = max(0, parentheses - 1)
        elif one == b"/":
            at = comment_end(text, at)
            continue
        elif one == b";":
            if parentheses == begins == 0:
                return at + 1
        elif word := _WORD.match(text, at):
            begins = _level_after(word[0].lower(), begins)
            at = word.end()
            continue
        else:
            return None
        at += 1
    return None


def _level_after(word: bytes, begins: int) -> int:
    """How many BEGINs are open after a word; a CASE ends with END, too, and counts within one."""
    if word == b"begin" or (word == b"case" and begins):
        return begins + 1
    if word == b"end" and begins:
        return begins - 1
    return begins


def comment_end(text: Text, at: int) -> int:
    """Return the offset after the comment that begins at `at` with a slash and a star.

    Comments nest.
    """
    level = 0
    for match in _COMMENT_EDGE.finditer(text, at):
        if match[0] == b"/*":
            level += 1
        else:
            level -= 1
        if level == 0:
            return match.end()
    return len(text)
