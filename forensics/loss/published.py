"""The loss as it is handed out: a junction table that was not classified has its place in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from forensics.loss.fates import LOST
from forensics.model import TableResult

_CLASSES = ("moved", "superseded", "lost", *LOST, "overwritten")
_OTHERS = ("moved_to", "affected", "emptied", "dangling")


def published(loss: Mapping[str, Any], results: Iterable[TableResult]) -> dict[str, Any]:
    """Return the loss with an entry of nulls for each junction table of which it is not known.

    Args:
        loss: as the stage wrote it.
        results: what was found of each table.
    """
    reasons: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for failed in loss["failed"]:
        reasons[failed["schema"], failed["table"]] = failed
    entries = list(loss["junctions"])
    known = {(entry["schema"], entry["table"]) for entry in entries}
    for result in results:
        name = tuple(result.name)
        if not result.junction or result.state == "new" or name in known:
            continue
        why = reasons.get(name, {}).get("reason") or loss.get("reason")
        if why:
            parents = reasons.get(name, {}).get("parents")
            entries.append(_not_known(result, parents, why))
    return {**loss, "junctions": entries}


def is_known(entry: Mapping[str, Any]) -> bool:
    """Whether a junction table of the published loss was classified."""
    return entry["lost"] is not None


def _not_known(result: TableResult, parents: Any, why: str) -> dict[str, Any]:
    return {
        "schema": result.name.schema,
        "table": result.name.table,
        "parents": parents,
        "missing": result.missing,
        **dict.fromkeys(_CLASSES),
        **dict.fromkeys(_OTHERS),
        "reason": why,
    }
