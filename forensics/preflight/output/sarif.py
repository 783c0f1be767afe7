"""The answer as SARIF 2.1.0, which code scanning services take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from forensics.preflight.output.answer import Flight, Forewarning, level
from forensics.statements.hazards import CODES
from forensics.text import visible

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_OF_A_LINK = re.compile(r"([\\\[\]])")


def sarif(flight: Flight, version: str) -> dict[str, Any]:
    """Return the hazards as SARIF 2.1.0.

    Args:
        version: the kit's version.
    """
    codes = sorted({w.hazard.code for w in flight.hazards})
    driver = {
        "name": "forensics preflight",
        "version": version,
        "rules": [_rule(code) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "results": [_result(w, codes) for w in flight.hazards],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    return {
        "id": code,
        "shortDescription": {"text": CODES[code].words},
    }


def _result(warning: Forewarning, codes: Sequence[str]) -> dict[str, Any]:
    hazard = warning.hazard
    uri = quote(Path(warning.path).as_posix())
    place = {
        "artifactLocation": {"uri": uri},
        "region": {"startLine": hazard.line},
    }
    return {
        "ruleId": hazard.code,
        "ruleIndex": codes.index(hazard.code),
        "level": level(warning),
        "message": {"text": _without_links(warning.sentence)},
        "locations": [{"physicalLocation": place}],
        "properties": {"rows": warning.rows, "fails": warning.fails},
    }


def _without_links(text: str) -> str:
    """Text in which SARIF sees no link."""
    return _OF_A_LINK.sub(r"\\\1", visible(text))
