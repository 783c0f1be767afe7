"""What a case found, as DataFrames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from forensics.case.summary import change_json
from forensics.loss.concentration import concentration_of
from forensics.loss.fates import LOST
from forensics.loss.published import is_known
from forensics.model import COUNTS, ColumnChange, TableName, TableResult

if TYPE_CHECKING:
    import pandas as pd

CLASSES = ("missing", "moved", "superseded", "lost", *LOST)

_TABLES = [
    "schema",
    "table",
    "state",
    "junction",
    "history",
    *COUNTS,
    "key",
    "key source",
    "reason",
    "seconds",
]
_CHANGES = ["schema", "table", "column", "change", "before", "after", "values_missing"]
_FINDINGS = ["kind", "schema", "table", "other", "rows", "of", "text"]
_JUNCTIONS = ["schema", "table", "parents", *CLASSES, "affected", "emptied", "moved to"]
_OVERWRITTEN = [
    "schema",
    "table",
    "column",
    "pattern",
    "how",
    "rows",
    "of",
    "lost",
    "destroyed",
    "undoable",
    "before",
    "after",
    "why",
]
_SLICE_COUNTS = ["rows", "of_rows", "table_rows", "of_table_rows"]
_SLICES = [
    "schema",
    "table",
    "of",
    "what",
    "column",
    "test",
    "value",
    "low",
    "high",
    *_SLICE_COUNTS,
    "share",
    "table_share",
    "lift",
]
_CHURN = ["missing", "cascaded", "expired", "unfit", "alone", "usual"]


def worst_first(results: Iterable[TableResult]) -> list[TableResult]:
    """Order tables by missing rows, then by changed ones, then by name."""

    def order(result: TableResult) -> tuple[int, int, TableName]:
        return -(result.missing or 0), -(result.changed or 0), result.name

    return sorted(results, key=order)


def tables_frame(results: Iterable[TableResult]) -> pd.DataFrame:
    """One row a table: state, counts, key; the worst first."""
    import pandas as pd

    rows = []
    for result in worst_first(results):
        row: dict[str, Any] = {count: getattr(result, count) for count in COUNTS}
        row |= {
            "schema": result.name.schema,
            "table": result.name.table,
            "state": result.state,
            "junction": result.junction,
            "history": result.history,
            "key": ", ".join(result.key),
            "key source": result.key_source,
            "reason": result.reason,
            "seconds": round(result.seconds, 3),
        }
        rows.append(row)
    frame = pd.DataFrame(rows, columns=_TABLES)
    return frame.astype(dict.fromkeys(COUNTS, "Int64"))


def columns_frame(changes: Iterable[ColumnChange]) -> pd.DataFrame:
    """Schema drift: one row a difference between the two sides' columns."""
    import pandas as pd

    frame = pd.DataFrame([change_json(change) for change in changes], columns=_CHANGES)
    return frame.astype({"values_missing": "Int64"})


def findings_frame(findings: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row a finding, with its evidence."""
    import pandas as pd

    frame = pd.DataFrame(findings, columns=_FINDINGS)
    return frame.astype({"rows": "Int64", "of": "Int64"})


def overwritten_frame(entries: Sequence[Mapping[str, Any]] | None) -> pd.DataFrame:
    """One row a column whose values changed; the destroyed ones first."""
    import pandas as pd

    frame = pd.DataFrame(entries or (), columns=_OVERWRITTEN)
    return frame.sort_values(
        ["destroyed", "rows"], ascending=False, kind="stable", ignore_index=True
    )


def junction_frame(loss: Mapping[str, Any]) -> pd.DataFrame:
    """One row a junction table: what is missing by class, and its parents; the worst first."""
    import pandas as pd

    def order(junction: Mapping[str, Any]) -> tuple[bool, int, int, str, str]:
        lost, missing = junction["lost"], junction["missing"]
        name = junction["schema"], junction["table"]
        return lost is None, -(lost or 0), -(missing or 0), *name

    rows = [_junction(junction) for junction in sorted(loss["junctions"], key=order)]
    columns = list(_JUNCTIONS)
    if any("not classified" in row for row in rows):
        columns.append("not classified")
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype(dict.fromkeys([*CLASSES, "affected", "emptied"], "Int64"))


def _junction(junction: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {kind: junction[kind] for kind in CLASSES}
    row["schema"], row["table"] = junction["schema"], junction["table"]
    parents = dict.fromkeys(parent["table"] for parent in junction["parents"] or ())
    row["parents"] = ", ".join(parents) or None
    if not is_known(junction):
        return row | {"affected": None, "emptied": None, "not classified": junction["reason"]}
    moved = [place(moved) for moved in junction["moved_to"] if moved["rows"]]
    return row | {
        "affected": sum(junction["affected"].values()),
        "emptied": sum(junction["emptied"].values()),
        "moved to": ", ".join(moved) or None,
    }


def place(moved: Mapping[str, Any]) -> str:
    """A place to which links moved, as people write it."""
    table = str(TableName(moved["schema"], moved["table"]))
    if moved["column"]:
        return f"{table}.{moved['column']}"
    return table


def churn_frame(loss: Mapping[str, Any]) -> pd.DataFrame:
    """One row a surviving table that misses rows: how they went, and life or out of line."""
    import pandas as pd

    columns = ["schema", "table", "verdict", *_CHURN, "basis"]
    frame = pd.DataFrame(loss["churn"] or (), columns=columns)
    return frame.astype(dict.fromkeys(_CHURN, "Int64"))


def concentration_frame(loss: Mapping[str, Any]) -> pd.DataFrame:
    """One row a slice that holds much of a table's loss, in words and in numbers."""
    import pandas as pd

    rows = []
    for entry in loss.get("concentrated") or ():
        rows.append({**entry, "what": concentration_of(entry).replace("`", "")})
    frame = pd.DataFrame(rows, columns=_SLICES)
    return frame.astype(dict.fromkeys(_SLICE_COUNTS, "Int64"))
