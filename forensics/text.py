"""The words: numbers, times, sizes and lists as people read them, and foreign text, which is read and never obeyed."""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

# What a page, a terminal or a log would obey instead of showing: controls, marks that turn the direction of text or take no room.
_OBEYED = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_MARKUP = re.compile(r"([\\`*_\[\]|~])")


def visible(text: object) -> str:
    """Return text with every character that would steer its reader shown as an escape."""
    return _OBEYED.sub(_escape, str(text))


def _escape(found: re.Match[str]) -> str:
    number = ord(found[0])
    return (
        f"\\x{number:02x}"
        if number < 256
        else f"\\u{number:04x}"
        if number < 65536
        else f"\\U{number:08x}"
    )


def document(value: Any) -> str:
    """Return a JSON document, a line feed at its end. What a terminal would obey in it is written as JSON's own escapes."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return _OBEYED.sub(lambda m: m[0] if m[0] == "\n" else json.dumps(m[0])[1:-1], text) + "\n"


def prose(value: object) -> str:
    """Return a sentence of ours, which may name tables, for Markdown: markup in it is neutralised, its punctuation left."""
    return _MARKUP.sub(
        r"\\\1", visible(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    )


def code(value: object) -> str:
    """Return a name as Markdown's code: in one line, without what would end it."""
    return f"`{visible(value).replace('`', chr(39))}`"


def spans(text: str) -> list[tuple[bool, str]]:
    """Split a sentence at its backticks: (whether it is a name or a command, the text). One without its other half is a letter."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    return [(n % 2 == 1, part) for n, part in enumerate(parts) if part]


def marked(text: str) -> str:
    """Return a sentence for Markdown in which names and commands stand between backticks."""
    return "".join(code(said) if is_code else prose(said) for is_code, said in spans(text))


def counted(number: int, thing: str) -> str:
    """Return a number of things: 1 row, 1,160 rows."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


# --- numbers, times and sizes ---------------------------------------------------------------------


def count(value: int | None) -> str:
    """A number of rows: 23,486; a dash where it is not known."""
    return "–" if value is None else f"{value:,}"


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
    return f"{share:.1f} %" if share < 10 or share > 99 else f"{share:.0f} %"


def plural(number: int, word: str) -> str:
    """The word, in the plural unless there is one."""
    return word if number == 1 else word + "s"


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
    if days >= 3:
        return f"{days:,} days" + (f" {hours} h" if days < 10 and hours else "")
    if days or hours:
        return f"{24 * days + hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def size(number: int | None) -> str:
    """Bytes, as people say them, with the exact number."""
    if number is None:
        return "–"
    value, unit = float(number), "bytes"
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{number:,} bytes" if unit == "bytes" else f"{value:.1f} {unit} ({number:,} bytes)"


def one_line(text: str) -> str:
    """A statement on one line."""
    return " ".join(text.split())


def first_letter(text: str) -> str:
    """The first character that is one for its reader, with the marks that belong to it."""
    end = 1
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    return text[:end]


def fact(value: Any) -> str:
    """A fact, as people read it."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return f"{value:,}" if isinstance(value, int) else str(value)


def examples(rows: Iterable[Mapping[str, str | None]]) -> str:
    """Rows by the values of some of their columns: id 7; id 12."""
    return "; ".join(
        ", ".join(f"{column} {'NULL' if value is None else value}" for column, value in row.items())
        for row in rows
    )


def near_matches(name: str, known: Sequence[str], otherwise: str) -> str:
    """Return a hint that names what `name` was probably meant to be, or `otherwise`."""
    near = difflib.get_close_matches(name, known, 3, 0.5)
    return f"Did you mean {' or '.join(near)}?" if near else otherwise
