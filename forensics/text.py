"""The words: numbers, times, sizes and lists as people read them, and foreign text, inert.

Foreign text is whatever a name or a value holds: it is read and never obeyed.
"""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring
from typing import Any

# What a page, a terminal or a log would obey instead of showing: controls, and marks that turn the
# direction of text or take no room.
_OBEYED_BESIDES = (
    "\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\uffff\ud800-\udfff\U000e0000-\U000e007f"
)
_OBEYED = re.compile(f"[\x00-\x1f{_OBEYED_BESIDES}]")
_OBEYED_BUT_LINES = re.compile(f"[\x00-\t\x0b-\x1f{_OBEYED_BESIDES}]")
# An underscore within a word is a letter.
_MARKUP = re.compile(r"([\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_]))")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_WORDS = {None: "null", True: "true", False: "false"}  # of JSON
_NEAR, _LIKENESS = 3, 0.5


# --- foreign text ---------------------------------------------------------------------------------


def visible(text: object) -> str:
    """Return text with every character that would steer its reader shown as an escape."""
    return _OBEYED.sub(_escape, str(text))


def _escape(found: re.Match[str]) -> str:
    number = ord(found[0])
    if number < 256:
        return f"\\x{number:02x}"
    if number < 65536:
        return f"\\u{number:04x}"
    return f"\\U{number:08x}"


def cut(text: str, most: int) -> str:
    """Return a text as it is, or where it is longer than that its beginning, and how long it is."""
    if len(text) <= most:
        return text
    return f"{text[:most]}… ({len(text):,} characters)"


def document(value: Any) -> str:
    """Return a JSON document, a line feed at its end.

    What a terminal would obey in it is written as JSON's own escapes.
    """
    return inert_json(_indented(value, "\n")) + "\n"


def _indented(value: Any, line: str) -> str:
    """What `json.dumps` writes with `indent=2`, which it takes four times as long for.

    Args:
        line: what begins a line at the value's depth.
    """
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if kind is int:
        return str(value)
    if value is None or kind is bool:
        return _WORDS[value]
    deeper = f"{line}  "
    if kind is dict and value:
        said = []
        for name, held in value.items():
            if type(name) is not str:
                break
            said.append(f"{encode_basestring(name)}: {_indented(held, deeper)}")
        else:
            return f"{{{deeper}{f',{deeper}'.join(said)}{line}}}"
    if kind in (list, tuple) and value:
        said = [_indented(held, deeper) for held in value]
        return f"[{deeper}{f',{deeper}'.join(said)}{line}]"
    return json.dumps(value, indent=2, ensure_ascii=False).replace("\n", line)


def inert_json(text: str) -> str:
    """Return JSON's text with what a terminal would obey in it written as JSON's own escapes."""
    return _OBEYED_BUT_LINES.sub(_json_escape, text)


def _json_escape(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def prose(value: object) -> str:
    """Return a sentence of ours, which may name tables, for Markdown.

    Markup in it is neutralised, its punctuation left.
    """
    text = visible(value)
    for character, entity in _ENTITIES.items():
        text = text.replace(character, entity)
    return _MARKUP.sub(r"\\\1", text)


def code(value: object) -> str:
    """Return a name as Markdown's code: in one line, without what would end it."""
    return f"`{visible(value).replace('`', chr(39))}`"


def spans(text: str) -> list[tuple[bool, str]]:
    """Split a sentence at its backticks: (whether it is a name or a command, the text).

    A backtick without its other half is a letter.
    """
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    found = []
    for place, part in enumerate(parts):
        if part:
            found.append((place % 2 == 1, part))
    return found


def marked(text: str) -> str:
    """Return a sentence for Markdown in which names and commands stand between backticks."""
    said = []
    for is_code, part in spans(text):
        if is_code:
            said.append(code(part))
        else:
            said.append(prose(part))
    return "".join(said)


def one_line(text: str) -> str:
    """A statement on one line."""
    return " ".join(text.split())


def first_letter(text: str) -> str:
    """The first character that is one for its reader, with the marks that belong to it."""
    end = 1
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    return text[:end]


def near_matches(name: str, known: Sequence[str], otherwise: str) -> str:
    """Return a hint that names what `name` was probably meant to be, or `otherwise`."""
    near = difflib.get_close_matches(name, known, _NEAR, _LIKENESS)
    if not near:
        return otherwise
    return f"Did you mean {' or '.join(near)}?"


# --- numbers, times and lists ---------------------------------------------------------------------


def count(value: int | None) -> str:
    """A number of rows: 23,486; a dash where it is not known."""
    if value is None:
        return "–"
    return f"{value:,}"


def together(one: int | None, other: int | None) -> int | None:
    """The sum of two numbers; not known where one of them is not."""
    if one is None or other is None:
        return None
    return one + other


def plural(number: int, word: str) -> str:
    """The word, in the plural unless there is one."""
    if number == 1:
        return word
    return f"{word}s"


def counted(number: int, thing: str) -> str:
    """Return a number of things: 1 row, 1,160 rows."""
    return f"{number:,} {plural(number, thing)}"


def listed(items: Sequence[object]) -> str:
    """Return items as a list in a sentence: a, b and c."""
    words = list(map(str, items))
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def percent(part: int | None, whole: int | None) -> str:
    """A share; one that is neither nothing nor all is never rounded to that."""
    if not part or not whole:
        return "0 %"
    if part >= whole:
        return "100 %"
    share = 100 * part / whole
    if share < 0.1:
        return "< 0.1 %"
    if share > 99.9:
        return "> 99.9 %"
    if share < 10 or share > 99:
        return f"{share:.1f} %"
    return f"{share:.0f} %"


def moment(at: datetime) -> str:
    """A time, to the minute, in UTC: 2 January 2026, 10:40 UTC."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def duration(length: timedelta) -> str:
    """How long something took, in the two largest units: 31 h 40 min."""
    seconds = round(length.total_seconds())
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    if days >= 10 or (days >= 3 and not hours):
        return f"{days:,} days"
    if days >= 3:
        return f"{days:,} days {hours} h"
    if days or hours:
        return f"{24 * days + hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {seconds} s"
    return f"{seconds} s"


def size(number: int | None) -> str:
    """Bytes, as people say them, with the exact number."""
    if number is None:
        return "–"
    if number < 1000:
        return f"{number:,} bytes"
    value, unit = _scaled(number)
    return f"{value:.1f} {unit} ({number:,} bytes)"


def short_size(number: int | None) -> str:
    """Bytes, rounded, for a narrow column; nothing where they are not known."""
    if number is None:
        return ""
    value, unit = _scaled(number)
    if unit == "TB":
        return f"{value:.1f} TB"
    return f"{value:.0f} {unit.replace('bytes', 'B')}"


def _scaled(number: int) -> tuple[float, str]:
    value = float(number)
    for unit in _UNITS[:-1]:
        if value < 1000:
            return value, unit
        value /= 1000
    return value, _UNITS[-1]


def fact(value: Any) -> str:
    """A fact, as people read it."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def examples(rows: Iterable[Mapping[str, str | None]]) -> str:
    """Rows by the values of some of their columns: id 7; id 12."""
    return "; ".join(_example(row) for row in rows)


def _example(row: Mapping[str, str | None]) -> str:
    parts = []
    for column, value in row.items():
        if value is None:
            value = "NULL"
        parts.append(f"{column} {value}")
    return ", ".join(parts)
