"""`summary.json`: what `compare --json` prints."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from forensics.case.held import Held
from forensics.documents import plain
from forensics.errors import CaseError
from forensics.loss.published import published
from forensics.masking import Mask
from forensics.model import COUNTS, ColumnChange, Provenance, TableResult

_BACKUP = (
    "kind",
    "path",
    "sha256",
    "bytes",
    "compression",
    "server_version",
    "dump_version",
    "dumped_at",
    "complete",
    "encoding",
    "database",
)
_LIVE = (
    "kind",
    "dsn",
    "path",
    "sha256",
    "server_version",
    "snapshot",
    "taken_at",
    "database",
    "encoding",
)


def summary(case: Held) -> dict[str, Any]:
    """What comparing found, as the contract has it."""
    evidence = case.evidence
    snapshots = []
    for moment in case.snapshots:
        if moment["side"] == "live":
            snapshots.append({name: moment[name] for name in moment if name != "side"})
    unknown = case.store.get("unknown") or {}
    return {
        "backup": _backup(evidence.backup, case.damage),
        "live": {**_facts(evidence.live, _LIVE), "snapshots": snapshots},
        "complete": case.complete,
        "tables": [_table(result) for result in case.results],
        "columns": [change_json(change) for change in case.store.changes()],
        "findings": None if "findings" in unknown else findings_json(case),
        "overwritten": overwritten_json(case),
        "notes": case.notes,
        "unknown": case.unknown,
        "totals": case.totals,
    }


def _backup(provenance: Provenance, damage: str | None) -> dict[str, Any]:
    found = _facts(provenance, _BACKUP)
    if provenance.kind == "database":
        found |= _facts(provenance, ("dsn", "snapshot", "taken_at"))
    return {**found, "damage": damage}


def _facts(provenance: Provenance, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: plain(getattr(provenance, name)) for name in names}


def _table(result: TableResult) -> dict[str, Any]:
    counts = {count: getattr(result, count) for count in COUNTS}
    beside: dict[str, Any] = {}
    if result.repeated:
        beside["repeated"] = result.repeated
    if result.history:
        beside["history"] = True
    if result.wire:
        beside["wire"] = result.wire
    return {
        "schema": result.name.schema,
        "table": result.name.table,
        "state": result.state,
        "reason": result.reason,
        "junction": result.junction,
        "key": list(result.key),
        "key_source": result.key_source,
        **counts,
        **beside,
        "notes": list(result.notes),
    }


def change_json(change: ColumnChange) -> dict[str, Any]:
    """One difference between the two sides' columns."""
    found: dict[str, Any] = {"schema": change.name.schema, "table": change.name.table}
    for field in fields(change):
        if field.name != "name":
            found[field.name] = getattr(change, field.name)
    return found


def overwritten_json(case: Held) -> list[dict[str, Any]] | None:
    """What changed values have in common, by table and column; None where it is not known."""
    entries = case.store.overwritten()
    if entries is None:
        return None
    mask = Mask(case.catalogs[0])
    found = []
    for entry in entries:
        flat = plain(mask.example(entry))
        name = flat.pop("name")
        found.append({**name, **flat})
    return found


def loss_json(case: Held) -> dict[str, Any]:
    """What `loss --json` prints: values in it are masked.

    Raises:
        CaseError: the comparison did not get that far.
    """
    found: dict[str, Any] | None = case.store.get("loss")
    if found is None:
        raise CaseError(
            f"The loss of case {case.folder} was not classified.",
            "Go on with: compare … --resume.",
        )
    if found.get("concentrated"):
        found["concentrated"] = Mask(case.catalogs[0]).slices(found["concentrated"])
    return published(found, case.results)


def findings_json(case: Held) -> list[dict[str, Any]]:
    """What the counts alone do not say, with the table's name in two."""
    found = []
    for finding in case.store.get("findings") or ():
        flat = dict(finding["name"])
        for name, value in finding.items():
            if name != "name":
                flat[name] = value
        found.append(flat)
    return found
