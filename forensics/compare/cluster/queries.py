"""What is asked of Spark: which rows have no equal partner, and what they are.

Only hashes change places between executors, and rows that differ. A hash is the MD5 of the whole
comparable line, as DuckDB makes it.
"""

from __future__ import annotations

from typing import Any

from forensics.compare.cluster.work import NOTE

# Some engines hold md5's text in another form than unhex takes.
_HASH = "unhex(cast(md5(line) AS string))"
_HASH_OR_NOTE = f"CASE WHEN s < {NOTE} THEN {_HASH} ELSE line END AS h"
_COUNTS = (
    "sum(CASE WHEN s = 0 THEN 1 ELSE 0 END) AS b",
    "sum(CASE WHEN s = 1 THEN 1 ELSE 0 END) AS l",
)


def lonely(rows: Any, partitions: int) -> Any:
    """Hashes (t, h, b, l) of which one side has more, and notes, which neither side has.

    Args:
        rows: of schema `HASHES`.
        partitions: how many Spark makes of them.
    """
    from pyspark.sql.connect import functions as sf

    counts = map(sf.expr, _COUNTS)
    hashes = rows.selectExpr("t", "s", _HASH_OR_NOTE).repartition(partitions, "t", "h")
    return hashes.groupBy("t", "h").agg(*counts).where("b <> l OR b = 0")


def whole(rows: Any, wanted: Any, *, few: bool, repeating: bool) -> Any:
    """Rows (t, s, p, line, raw) whose hash is among some, and notes.

    Args:
        rows: of schema `ROWS`.
        wanted: hashes (t, h, b, l).
        few: whether every executor may hold all of those.
        repeating: whether some stand on both sides: of the rows that one has more of, the last
            ones are wanted.
    """
    from pyspark.sql.connect import functions as sf

    held = rows.selectExpr("*", f"{_HASH} AS h")
    if few:
        wanted = sf.broadcast(wanted)
    # Notes are taken along: reading rows once more for them would cost as much as the rows.
    found = held.join(wanted, ["t", "h"], "left").where(f"s = {NOTE} OR b IS NOT NULL")
    if repeating:
        more = f"s = {NOTE} OR (s = 0 AND b > l) OR (s = 1 AND l > b)"
        last = "row_number() OVER (PARTITION BY t, s, h ORDER BY p DESC) AS r"
        found = found.where(more).selectExpr("*", last).where(f"s = {NOTE} OR r <= abs(b - l)")
    return found.select("t", "s", "p", "line", "raw")


def among(rows: Any, wanted: Any) -> Any:
    """Rows (t, s, p, line) whose line is one of some, and notes.

    Args:
        rows: of schema `KEYS`.
        wanted: lines.
    """
    marked = wanted.selectExpr("line", "1 AS w").distinct()
    found = rows.join(marked, ["line"], "left").where(f"s = {NOTE} OR w IS NOT NULL")
    return found.select("t", "s", "p", "line")
