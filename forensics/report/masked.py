"""What the stages found, with the values of rows in it masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forensics.loss.published import published
from forensics.masking import Mask
from forensics.model import TableName
from forensics.report.maskings import Masking
from forensics.report.results import Results

Found = Mapping[str, Any]


def report_json(case: Results, *, mask: bool | Masking = True) -> dict[str, Any]:
    """Return what the stages found, in the contract's JSON.

    Stages that the case has not been through are left out.

    Args:
        case: what was found.
        mask: whether values of rows are masked, and which are not.
    """
    shown = Masking.of(mask).mask(case)
    summary = case.summary()
    for table in summary["tables"]:
        table["reason"] = shown.sentence(table["reason"])
    loss = case.store.get("loss")
    found = {
        "summary": summary,
        "loss": masked_loss(loss, case, shown),
        "cause": masked_cause(case.store.get("cause"), shown),
        "recovery": masked_recovery(case.store.get("recovery"), shown),
    }
    return {name: value for name, value in found.items() if value is not None}


def masked_loss(loss: Found | None, case: Results, mask: Mask) -> dict[str, Any] | None:
    """The loss as it is handed out, with the values that tell where it is concentrated masked."""
    if loss is None:
        return None
    found = published(loss, case.results)
    return {**found, "concentrated": mask.slices(found.get("concentrated"))}


def masked_cause(cause: Found | None, mask: Mask) -> dict[str, Any] | None:
    """The cause, with what its statements write masked; those that took the most first."""
    if cause is None:
        return None
    statements = sorted(cause["statements"], key=_most_rows_first)
    found = {**cause, "statements": _masked_sql(statements, mask)}
    found["unknown"] = _sentences(cause.get("unknown", ()), mask)
    if "hazards" in cause:
        found["hazards"] = _masked_sql(cause["hazards"], mask)
    return found


def _most_rows_first(statement: Found) -> tuple[int, int, str, int]:
    changed = statement.get("changed") or 0
    place = statement["migration"] or "", statement["line"] or 0
    return -(statement["rows"] or 0), -changed, *place


def _masked_sql(entries: Sequence[Found], mask: Mask) -> list[dict[str, Any]]:
    found = []
    for entry in entries:
        text = entry["sql"]
        found.append({**entry, "sql": text and mask.sql(text, _named(entry))})
    return found


def _named(entry: Found) -> TableName | None:
    if entry.get("table") is None:
        return None
    return TableName(entry["schema"], entry["table"])


def masked_recovery(recovery: Found | None, mask: Mask) -> dict[str, Any] | None:
    """The plan, with the rows that it names as examples masked, and the server's words in it."""
    if recovery is None:
        return None
    found = {
        **recovery,
        "options": [_option(option, mask) for option in recovery["options"]],
        "problem": mask.sentence(recovery.get("problem")),
    }
    if recovery.get("rehearsal"):
        found["rehearsal"] = _proof(recovery["rehearsal"], mask)
    found["runbook"] = [_step(step, mask) for step in recovery.get("runbook", ())]
    return found


def _option(option: Found, mask: Mask) -> dict[str, Any]:
    destroyed = []
    for entry in option.get("destroyed", ()):
        destroyed.append(_destroyed(entry, mask))
    proof = _proof(option.get("proof"), mask)
    return {**option, "destroyed": destroyed, "proof": proof}


def _destroyed(entry: Found, mask: Mask) -> dict[str, Any]:
    """What an option destroys of one table, its examples masked."""
    name = TableName(entry["schema"], entry["table"])
    rows = []
    for row in entry.get("examples", ()):
        show = mask.columns(name, tuple(row))
        rows.append({column: show[column](value) for column, value in row.items()})
    return {**entry, "examples": rows}


def _proof(proof: Found | None, mask: Mask) -> dict[str, Any] | None:
    """What came of a rehearsal, with the server's words in it masked."""
    if proof is None:
        return None
    found = dict(proof)
    for name in ("problems", "notes"):
        if name in proof:
            found[name] = _sentences(proof[name], mask)
    return found


def _step(step: Found, mask: Mask) -> dict[str, Any]:
    """A step of the runbook."""
    return {**step, "parts": [_part(part, mask) for part in step["parts"]]}


def _part(part: Found, mask: Mask) -> dict[str, Any]:
    """A part of the runbook, with the server's words in it masked.

    Commands name tables and no values.
    """
    found = dict(part)
    if "list" in part:
        found["list"] = _sentences(part["list"], mask)
    if "text" in part:
        found["text"] = mask.sentence(part["text"])
    return found


def _sentences(said: Sequence[str], mask: Mask) -> list[str | None]:
    return [mask.sentence(sentence) for sentence in said]
