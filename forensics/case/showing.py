"""How a case shows itself in a notebook: foreign text in it is read, and never obeyed."""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from forensics.text import visible

if TYPE_CHECKING:
    import pandas as pd


class Said(str):
    """A sentence that a notebook shows as one, and not as a quoted text."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return f"<p>{escaped(self)}</p>"


def escaped(text: object) -> str:
    """Return text for HTML: neither a tag nor anything else in it is obeyed."""
    return html.escape(visible(text))


def calm(value: Any) -> Any:
    """Return a text with what might be obeyed visible, and anything else as it is."""
    if isinstance(value, str):
        return visible(value)
    return value


def table(frame: pd.DataFrame, absent: str = "–") -> str:
    """Return a DataFrame as an HTML table, `absent` where there is no value.

    Texts stand to the left and numbers to the right, as people read them.
    """
    import pandas as pd

    columns = []
    for place, name in enumerate(frame):
        values = frame.iloc[:, place]
        number = pd.api.types.is_numeric_dtype(values)
        head, write = (_number_head, _number) if number else (heading, cell)
        cells = [head(escaped(name))]
        for value in values:
            known = value if isinstance(value, list) or not pd.isna(value) else absent
            cells.append(write(escaped(known)))
        columns.append(cells)
    rows = [f"<tr>{''.join(row)}</tr>" for row in zip(*columns, strict=True)]
    body = "".join(rows[1:])
    return f"<table><thead>{''.join(rows[:1])}</thead><tbody>{body}</tbody></table>"


def _number_head(text: str) -> str:
    return f"<th>{text}</th>"


def _number(text: str) -> str:
    return f"<td>{text}</td>"


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
