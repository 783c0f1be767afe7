"""Values as DuckDB's SQL."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.model import quote_literal


def literal(value: str | Sequence[str]) -> str:
    """Return text, or a list of texts, as DuckDB's SQL.

    Not as a parameter: binding one makes DuckDB import pandas, which costs a comparison a quarter
    of a second.
    """
    if not isinstance(value, str):
        return f"[{', '.join(map(literal, value))}]::VARCHAR[]"
    return quote_literal(value)
