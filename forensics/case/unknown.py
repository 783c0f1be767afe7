"""What could not be worked out, although the tables were compared."""

from __future__ import annotations

from forensics.model import TableName
from forensics.store import Store

_STAGES = {
    "findings": "What the counts alone do not say was not looked for",
    "overwritten": "What changed values have in common was not looked for",
    "history": "The history of the migrations was not read",
    "loss": "The missing links were not classified",
}


def unknown(store: Store) -> list[str]:
    """Say of each stage, and of each junction table, why it came to no end."""
    said = []
    for stage, why in (store.get("unknown") or {}).items():
        said.append(f"{_STAGES[stage]}, because: {why}")
    for side, why in (store.get("history") or {}).get("errors", {}).items():
        said.append(f"The migration history of the {side} is not known, because: {why}")
    for failed in (store.get("loss") or {}).get("failed", ()):
        name = TableName(failed["schema"], failed["table"])
        said.append(f"The loss of {name} was not classified, because: {failed['reason']}")
    return said
