"""Frames of a plan, as JSON has it: what notebooks show of the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from forensics.model import TableName
from forensics.recovery import CLASSES, UNREHEARSED

if TYPE_CHECKING:
    import pandas as pd

OPTIONS = ["name", "recovers", "freed", "destroys", "blocked", "verified", "seconds"]
_STAYS = ("column", "rows", "class", "reason")


def options(plan: Mapping[str, Any]) -> pd.DataFrame:
    """One row an option."""
    import pandas as pd

    frame = pd.DataFrame(plan["options"], columns=OPTIONS)
    return frame.set_index("name")


def tables(plan: Mapping[str, Any]) -> pd.DataFrame:
    """One row a table that rows return to."""
    import pandas as pd

    names = ["kind", "missing", *CLASSES]
    rows = []
    for target in plan["tables"]:
        row = {name: target[name] for name in names}
        rows.append({"table": _table(target), **row})
    return pd.DataFrame(rows, columns=["table", *names])


def selection(plan: Mapping[str, Any]) -> pd.DataFrame:
    """One row a table of which rows belong to those that were named."""
    import pandas as pd

    rows = []
    for share in (plan.get("selection") or {}).get("tables", ()):
        facts = {name: share[name] for name in ("rows", "needed")}
        names = {name: ", ".join(share[name]) for name in ("needed_by", "undeclared")}
        rows.append({"table": _table(share), **facts, **names})
    return pd.DataFrame(rows, columns=["table", "rows", "needed", "needed_by", "undeclared"])


def destroyed(plan: Mapping[str, Any]) -> pd.DataFrame:
    """One row an option and table: rows written since the backup that it would destroy."""
    import pandas as pd

    rows = []
    for option in plan["options"]:
        for share in sorted(option["destroyed"], key=_most_first):
            examples = [_key(example) for example in share["examples"]]
            row = {
                "option": option["name"],
                "table": _table(share),
                "rows": share["rows"],
                "for example": "; ".join(examples),
            }
            rows.append(row)
    return pd.DataFrame(rows, columns=["option", "table", "rows", "for example"])


def reasons(plan: Mapping[str, Any]) -> pd.DataFrame:
    """One row a table and reason: how many lost rows cannot return because of it."""
    import pandas as pd

    rows = []
    for target in plan["tables"]:
        for reason in target["reasons"]:
            rows.append(
                {
                    "table": _table(target),
                    "rows": reason["rows"],
                    "reason": reason["reason"],
                }
            )
    return pd.DataFrame(rows, columns=["table", "rows", "reason"])


def stays(plan: Mapping[str, Any]) -> pd.DataFrame:
    """What does not come back, one row a table or column and reason."""
    import pandas as pd

    rows = []
    for stay in plan.get("stays", ()):
        facts = {name: stay[name] for name in _STAYS}
        rows.append({"table": _table(stay), **facts})
    frame = pd.DataFrame(rows, columns=["table", *_STAYS])
    return frame.astype({"rows": "Int64"})


def rehearsal(plan: Mapping[str, Any]) -> pd.DataFrame:
    """What the rehearsal found; empty where none was held."""
    import pandas as pd

    rows = []
    if plan["rehearsal"]:
        rows.append(("rehearsed at", plan["rehearsed_at"]))
        for name, value in plan["rehearsal"].items():
            if not isinstance(value, dict | list):
                rows.append((name.replace("_", " "), value))
    return pd.DataFrame(rows, columns=["fact", "value"]).set_index("fact")


def proofs(plan: Mapping[str, Any]) -> pd.DataFrame:
    """One row an option and a thing that its rehearsal found, or why it had none."""
    import pandas as pd

    rows = []
    for option in plan["options"]:
        for said in _found(option):
            row = {name: option[name] for name in ("verified", "seconds")}
            rows.append({"option": option["name"], **row, "found": said})
    return pd.DataFrame(rows, columns=["option", "verified", "seconds", "found"])


def _table(of: Mapping[str, Any]) -> str:
    return str(TableName(of["schema"], of["table"]))


def _most_first(share: Mapping[str, Any]) -> tuple[int, str, str]:
    return -share["rows"], share["schema"], share["table"]


def _found(option: Mapping[str, Any]) -> list[str]:
    """What the rehearsal of an option found, or why there was none."""
    proof = option["proof"]
    if proof:
        return [*proof["checks"], *proof["problems"], *proof.get("lacks", ()), *proof["notes"]]
    return [caveat for caveat in option["caveats"] if caveat.startswith(UNREHEARSED)]


def _key(example: Mapping[str, str | None]) -> str:
    return ", ".join(f"{column} {value}" for column, value in example.items())
