"""One spelling for equal values of two types, in SQL: as `compare.casts` holds them equal."""

from __future__ import annotations

import re

from psycopg import sql

_MODIFIER = re.compile(r"\([^()]*\)")
_WHOLE = ("smallint", "integer", "bigint")
_NUMBERS = (*_WHOLE, "numeric", "real", "double precision")
_LOCAL = ("date", "timestamp without time zone")
_INSTANT = "timestamp with time zone"
_TIMES = (*_LOCAL, _INSTANT)


def spelled(text: sql.Composable, its: str, other: str) -> sql.Composable:
    """A value's text, written so that the equal value of another type has the same.

    Args:
        text: an expression of type text, or NULL.
        its, other: the two types, as `format_type` prints them.

    Returns:
        An expression that may refuse a text which is none of its type (DataError).
    """
    its, other = _MODIFIER.sub("", its), _MODIFIER.sub("", other)
    return sql.SQL(_form(its, other)).format(text)


def _form(its: str, other: str) -> str:
    both = {its, other}
    if both == {"real", "double precision"}:
        return "{}::float4::float8" if its == "real" else "{}::float8"
    if both <= {*_NUMBERS}:
        return "{}::numeric"
    if both <= {*_LOCAL}:
        return "{}::timestamp"
    if both <= {*_TIMES}:
        # Without a zone it is in the session's, as a cast has it.
        return "{}::timestamptz"
    if its == "boolean" and other in _WHOLE:
        return "CASE {} WHEN 'true' THEN '1' WHEN 'false' THEN '0' END"
    if both == {"json", "jsonb"}:
        return "{}::jsonb"
    if "uuid" in both:
        return "lower({})"
    return "{}"


def hangs_on_zone(was: str, now: str) -> bool:
    """Whether a cast between two types depends on the session's time zone."""
    was, now = _MODIFIER.sub("", was), _MODIFIER.sub("", now)
    return _INSTANT in (was, now) and {was, now} <= {*_TIMES} and was != now
