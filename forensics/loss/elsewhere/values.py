"""Values as the case keeps them, made comparable across the two sides."""

from __future__ import annotations

import re
from collections.abc import Sequence

_INSTANT = re.compile(r"timestamp(\(\d\))? with time zone")


def comparable(fields: Sequence[str], types: Sequence[str]) -> list[str]:
    """Expressions for fields that are equal where their values are.

    An instant's text depends on the session that wrote it; a number's has its scale.

    Args:
        fields: what holds the values, as text.
        types: by field, the type of live's column.
    """
    found = []
    for field, kind in zip(fields, types, strict=True):
        if _INSTANT.fullmatch(kind):
            instant = f"CAST(epoch_us(TRY_CAST({field} AS TIMESTAMPTZ)) AS VARCHAR)"
            found.append(f"coalesce({instant}, {field})")
        elif kind.startswith("numeric"):
            short = f"rtrim(rtrim({field}, '0'), '.')"
            found.append(f"CASE WHEN contains({field}, '.') THEN {short} ELSE {field} END")
        else:
            found.append(field)
    return found
