"""Rows that loss counts as blocked, and that come back since their parents come back first."""

from __future__ import annotations

import duckdb

from forensics.recovery.choose.targets import Target
from forensics.store import Store


def freed(cursor: duckdb.DuckDBPyConnection, target: Target) -> int:
    """Count a target's rows that are blocked today and return all the same.

    Args:
        cursor: the case's session, in which its rows have their classes.
        target: a table whose links are classified in the case.
    """
    number = target.number
    found = cursor.execute(
        f"""
        SELECT count(*)
          FROM class_{number} c JOIN loss.links_{number} l ON l.pair = c.pair
         WHERE c.class = 'restorable' AND l.class = 'blocked'
        """
    ).fetchall()
    return int(found[0][0])


def all_blocked(store: Store) -> int | None:
    """How many links loss counts as blocked: what brings back every row frees them all.

    None where loss does not know it.
    """
    totals = (store.get("loss") or {}).get("totals") or {}
    blocked: int | None = totals.get("blocked")
    return blocked
