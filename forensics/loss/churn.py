"""Loss or life: rows that are missing from tables that survive, and whether that is what such tables do.

A row may have gone with its parent by cascade, or alone. Of those that went alone some had run out (`expires_at`), some
held a NULL where live no longer allows one, which a migration clears away and no application, and the rest are held against the table's own past: how many rows went in a window of equal length, from the gaps in its
serial numbers, or, where it has none, how many rows it takes in.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from forensics.errors import EvidenceError
from forensics.loss.links import gone_keys
from forensics.loss.window import estimate, made_column
from forensics.loss.workspace import Workspace, same
from forensics.model import Parent, Table, TableName, plain

_ENDS = re.compile(r"expir|valid_?(until|to)|ends?_?at$|until", re.I)
_MOST_ROWS = 20_000_000


def churn(work: Workspace, start: float | None, seconds: float | None) -> list[dict[str, Any]]:
    """Say of every surviving table that misses rows whether that is loss or life.

    Args:
        work: the run's workspace.
        start, seconds: the incident window's begin (since 1970) and length, None where it is not known.

    Returns:
        Per table: `missing`; of these `cascaded` (a parent that is gone took them by ON DELETE CASCADE), `unfit` (NULL
        where live is NOT NULL now), `expired`, and `alone`; `usual`, how many go in such a window as a rule, None where
        nothing says; `verdict`, "life", "out of line" or "unknown"; and its `basis` in words, with what cannot be read.
    """
    found = []
    for name, result in sorted(work.results.items()):
        if result.state == "compared" and result.missing:
            try:
                found.append(
                    {**plain(name), "missing": result.missing, **_table(work, name, start, seconds)}
                )
            except EvidenceError as error:
                unknown = dict.fromkeys(("cascaded", "expired", "unfit", "alone", "usual"))
                found.append(
                    {
                        **plain(name),
                        "missing": result.missing,
                        **unknown,
                        "verdict": "unknown",
                        "basis": str(error),
                    }
                )
    return found


def _table(
    work: Workspace, name: TableName, start: float | None, seconds: float | None
) -> dict[str, Any]:
    table = work.backup.catalog.tables[name]
    missing = f"(SELECT * FROM {work.kept('backup', name)} WHERE state = 'missing')"
    joins, took = "", []
    for n, key in enumerate(f for f in table.foreign_keys if f.on_delete == "cascade"):
        fields = work.fields("backup", name, key.columns)
        if fields is None or not work.table("live", key.parent):
            continue
        gone = gone_keys(
            work, name, Parent(key.parent, key.columns, key.parent_columns), missing, []
        )
        if gone is None or gone == "all":
            continue
        joins += f" LEFT JOIN (SELECT DISTINCT * FROM {gone}) g{n} ON {same([f'm.{f}' for f in fields], [f'g{n}.k{i}' for i in range(len(fields))])}"
        took.append(f"g{n}.k0 IS NOT NULL")
    by_cascade = " OR ".join(took) or "false"
    ends = next(
        (c.name for c in table.columns if _ENDS.search(c.name) and c.type.startswith("timestamp")),
        None,
    )
    end = work.field("backup", name, ends) if ends else None
    until = (start or 0) + (seconds or 0)
    over = f"epoch(TRY_CAST(m.{end} AS TIMESTAMP)) <= {until}" if end and until else "false"
    banned = _banned(work, table)
    unfit_if = " OR ".join(f"m.{f} IS NULL" for f in banned.values()) or "false"
    cascaded, unfit, expired, alone = work.one(
        f"SELECT count(*) FILTER (c), count(*) FILTER (NOT c AND u), count(*) FILTER (NOT c AND NOT u AND e), "
        f"count(*) FILTER (NOT c AND NOT u AND NOT e) FROM (SELECT coalesce({by_cascade}, false) AS c, coalesce({over}, false) AS e, "
        f"{unfit_if} AS u FROM {missing} m{joins})"
    )
    usual, basis = (
        _usual(work, table, start, seconds)
        if alone
        else (None, "every missing row is accounted for")
    )
    lead = [f"{cascaded:,} went with their parent by cascade"] * bool(cascaded) + [
        f"{expired:,} had run out ({ends})"
    ] * bool(expired)
    lead += [f"{unfit:,} held NULL in {' or '.join(banned)}, which live no longer allows"] * bool(
        unfit
    )
    lead += [f"{alone:,} went alone"] * bool(alone)
    return {
        "cascaded": cascaded,
        "expired": expired,
        "unfit": unfit,
        "alone": alone,
        "usual": usual,
        "verdict": _verdict(alone, usual, unfit),
        "basis": f"{', '.join(lead)}; {basis}",
    }


def _banned(work: Workspace, table: Table) -> dict[str, str]:
    """Columns that live made NOT NULL, each with its field in the backup's kept rows."""
    live = work.table("live", table.name)
    fields = {
        c.name: work.field("backup", table.name, c.name)
        for c in table.columns
        if c.nullable and live and (now := live.column(c.name)) is not None and not now.nullable
    }
    return {name: field for name, field in fields.items() if field}


def _verdict(alone: int, usual: int | None, unfit: int) -> str:
    if unfit:
        return "out of line"
    if not alone:
        return "life"
    if usual is None:
        return "unknown"
    return "life" if alone <= usual + 3 * math.sqrt(max(usual, 1)) else "out of line"


def _usual(
    work: Workspace, table: Table, start: float | None, seconds: float | None
) -> tuple[int | None, str]:
    result = work.result(table.name)
    if (
        start is None
        or not seconds
        or result is None
        or (result.backup_rows or 0) > _MOST_ROWS
        or not work.holds("backup", table.name)
    ):
        return None, "nothing says what is usual"
    made = made_column(table)
    serial = next(
        (
            k.columns[0]
            for k in table.keys
            if k.primary
            and len(k.columns) == 1
            and (c := table.column(k.columns[0])) is not None
            and c.type in ("integer", "bigint", "smallint")
        ),
        None,
    )
    if made is None:
        return None, "its rows have no time of their own, so nothing says what is usual"
    rows = work.read("backup", table.name, (made, *((serial,) if serial else ())))
    if serial:
        first, last, low, high, count = work.one(
            f"SELECT min(epoch(t)), max(epoch(t)), min(i), max(i), count(*) FROM "
            f"(SELECT TRY_CAST(c0 AS TIMESTAMP) AS t, TRY_CAST(c1 AS BIGINT) AS i FROM {rows}) WHERE isfinite(t) AND i IS NOT NULL"
        )
        if count and last - first > seconds:
            gaps = high - low + 1 - count
            usual = math.ceil(gaps * seconds / (last - first))
            return (
                usual,
                f"the gaps in {serial} say that {gaps:,} rows went since its first, so {usual:,} in such a window",
            )
    times = np.asarray(
        work.db.execute(
            f"SELECT epoch(TRY_CAST(c0 AS TIMESTAMP)) AS s FROM {rows} WHERE isfinite(TRY_CAST(c0 AS TIMESTAMP)) ORDER BY s"
        ).fetchnumpy()["s"],
        dtype=float,
    )
    found = estimate(times[times < start], start, seconds)
    if found is None:
        return None, "its past is shorter than the window"
    return (
        found.high,
        f"it takes in up to {found.high:,} rows in such a window ({made}), and as many may go",
    )
