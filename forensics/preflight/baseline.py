"""What an earlier preflight said already, and so is no news."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from forensics.errors import UsageError
from forensics.preflight.output import Flight, Forewarning
from forensics.text import counted, one_line

_HINT = "Write it with: forensics preflight … --json > FILE"
_Key = tuple[Any, ...]


def without_known(flight: Flight, baseline: Path) -> Flight:
    """Leave out what an earlier preflight found, unless it is worse by now.

    Args:
        baseline: the JSON of that preflight.

    Raises:
        UsageError: the file is none.
    """
    known = _known(baseline)
    new = []
    for warning in flight.hazards:
        before = known.get(_key(warning))
        if before is None or _worse(warning, before):
            new.append(warning)
    left_out = len(flight.hazards) - len(new)
    if not left_out:
        return flight
    note = f"{counted(left_out, 'hazard')} stood in {baseline} already and are not repeated."
    return replace(flight, hazards=tuple(new), notes=(*flight.notes, note))


def _known(baseline: Path) -> dict[_Key, Mapping[str, Any]]:
    try:
        document = json.loads(baseline.read_text(encoding="utf-8"))
        hazards = document["hazards"]
        return {_key_of(hazard): hazard for hazard in hazards}
    except OSError as error:
        raise UsageError(
            f"The baseline {baseline} cannot be read: {error.strerror}.", _HINT
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{baseline} is not the JSON of a preflight.", _HINT) from error


def _key(warning: Forewarning) -> _Key:
    hazard = warning.hazard
    schema, table = hazard.table or (None, None)
    return warning.migration, hazard.code, schema, table, hazard.column, one_line(hazard.sql)


def _key_of(hazard: Mapping[str, Any]) -> _Key:
    names = ("migration", "hazard", "schema", "table", "column")
    return (*[hazard[name] for name in names], one_line(hazard["sql"]))


def _worse(warning: Forewarning, before: Mapping[str, Any]) -> bool:
    """Whether it destroys, fails or cannot be counted by now, and did not then."""
    if warning.fails and not before["fails"]:
        return True
    if warning.uncounted and before["rows"] is not None:
        return True
    return bool(warning.destroys and warning.rows and not before["rows"])
