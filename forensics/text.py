"""Foreign text, as it may be shown: whatever a name or a value holds, it is read and never obeyed."""

from __future__ import annotations

import json
import re
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
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}"


def document(value: Any) -> str:
    """Return a JSON document, a line feed at its end. What a terminal would obey in it is written as JSON's own escapes."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return _OBEYED.sub(lambda m: m[0] if m[0] == "\n" else json.dumps(m[0])[1:-1], text) + "\n"


def prose(value: object) -> str:
    """Return a sentence of ours, which may name tables, for Markdown: markup in it is neutralised, its punctuation left."""
    return _MARKUP.sub(r"\\\1", visible(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


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
