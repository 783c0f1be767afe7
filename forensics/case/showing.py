"""How a case shows itself in a notebook: foreign text in it is read, and never obeyed."""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from forensics.text import visible

if TYPE_CHECKING:
    import pandas as pd


def escaped(text: object) -> str:
    """Return text for HTML: neither a tag nor anything else in it is obeyed."""
    return html.escape(visible(text))


def inert(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table for `to_html`, with what might be obeyed in its texts and headings visible.

    `to_html` itself escapes tags.
    """
    return frame.astype(object).map(calm).rename(columns=calm)


def calm(value: Any) -> Any:
    """Return a text with what might be obeyed visible, and anything else as it is."""
    if isinstance(value, str):
        return visible(value)
    return value


def table(frame: pd.DataFrame, absent: str = "–") -> str:
    """Return a DataFrame as an HTML table, `absent` where there is no value."""
    shown = inert(frame).where(frame.notna(), absent)
    return shown.to_html(index=False, border=0)


def heading(text: object) -> str:
    """Return the head of a row; `text` is HTML."""
    return f"<th style='text-align:left'>{text}</th>"


def cell(text: object) -> str:
    """Return a cell of text; `text` is HTML."""
    return f"<td style='text-align:left'>{text}</td>"


def points(sentences: Iterable[str]) -> str:
    """Return sentences as an HTML list."""
    items = [f"<li>{escaped(sentence)}</li>" for sentence in sentences]
    return f"<ul>{''.join(items)}</ul>"


def shown(value: Any) -> str:
    """Return a fact as people read it."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)
