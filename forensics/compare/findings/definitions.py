"""What live's definitions say is gone, beyond the rows of tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from forensics.compare.findings.finding import Finding, not_known
from forensics.errors import EvidenceError
from forensics.evidence.source import Source
from forensics.model import Catalog, TableName

_IDS_SHOWN = 5
# By kind of table: what it is called, and what there is to do.
_WITHOUT_ROWS = {
    "materialized view": ("Materialised view", "make it again and refresh it"),
    "foreign": ("Foreign table", "its rows lie on another server"),
}


def enum_labels_gone(backup: Source, live: Source) -> list[Finding]:
    """Find columns of an enum that has lost labels: rows that hold them cannot come back."""
    found = []
    for enum, labels in sorted(backup.catalog.enums.items()):
        now = live.catalog.enums.get(enum)
        if now is None:
            continue
        gone = [label for label in labels if label not in now]
        if not gone:
            continue
        instead = _instead([label for label in now if label not in labels])
        for table, column in _columns_of(backup.catalog, enum):
            text = (
                f"{table}.{column} may hold {', '.join(gone)}, and live's enum {enum} has no such "
                f"label: such rows cannot come back as they are.{instead}"
            )
            found.append(Finding("enum label gone", table, text, enum))
    return found


def _instead(new: Sequence[str]) -> str:
    if not new:
        return ""
    return (
        f" New in its place: {', '.join(new)}; "
        "where a label was renamed, every row that held it shows as changed."
    )


def _columns_of(catalog: Catalog, type_name: str) -> list[tuple[TableName, str]]:
    """The columns of a type, or of arrays of it, each with its table."""
    found = []
    for table in catalog.roots:
        for column in table.columns:
            if column.type.removesuffix("[]") == type_name:
                found.append((table.name, column.name))
    return found


def gone_without_rows(backup: Source, live: Source) -> list[Finding]:
    """Find materialised views and foreign tables that live has no more.

    No dump holds their rows, only how they are made.
    """
    found = []
    for name, table in sorted(backup.catalog.tables.items()):
        if table.kind not in _WITHOUT_ROWS or name in live.catalog.tables:
            continue
        thing, way_out = _WITHOUT_ROWS[table.kind]
        text = f"{thing} {name} is gone from live; no backup holds rows of it: {way_out}."
        found.append(Finding("gone without rows", name, text))
    return found


def large_objects_gone(backup: Source, live: Source) -> list[Finding]:
    """Find out which of the backup's large objects live has no more."""
    ours = backup.large_objects
    if not ours:
        return []
    try:
        theirs = live.large_objects
    except EvidenceError as error:
        what = f"Which of the backup's {len(ours):,} large objects live has no more"
        return [not_known(TableName("", ""), what, error)]
    if theirs is None or ours <= theirs:
        return []
    gone = ours - theirs
    text = (
        f"{len(gone):,} of the backup's {len(ours):,} large objects are gone from live "
        f"(ids {_some(gone)}). What the others hold is not compared."
    )
    return [Finding("large objects gone", TableName("", ""), text, None, len(gone), len(ours))]


def _some(ids: Collection[int]) -> str:
    shown = ", ".join(map(str, sorted(ids)[:_IDS_SHOWN]))
    if len(ids) > _IDS_SHOWN:
        shown += ", …"
    return shown
