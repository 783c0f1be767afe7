"""The proof as one sheet that somebody can sign."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.errors import ProofError
from forensics.prove.proof import Proof, put
from forensics.report.html import environment
from forensics.text import count, fact, moment, size

if TYPE_CHECKING:
    from jinja2 import Environment

_SHOWN = 10  # tables on the sheet
_LONG = 360  # characters of a check
_MARKS = {"holds": "✓", "fails": "✗", "not known": "?", "not judged": "–"}


def write_page(proof: Proof, path: str | Path) -> Path:
    """Write the page; it appears when it is whole, and loads nothing from anywhere.

    Raises:
        ProofError: it is not written as HTML, or cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ProofError(
            f"The page to sign is written as .html, and {path} is not.",
            "Choose --report proof.html.",
        )
    return put(path, render(proof))


def render(proof: Proof) -> str:
    """Return the page as an HTML document."""
    tables = [table for table in proof["tables"] if _moved(table)]
    tables.sort(key=_moved, reverse=True)
    return (
        _environment()
        .get_template("proof.html")
        .render(
            p=proof.as_json(),
            facts=_facts(proof),
            checks=[_check(check) for check in proof.checks],
            tables=tables[:_SHOWN],
            more=max(0, len(tables) - _SHOWN),
            intact=len(proof["tables"]) - len(tables),
        )
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """The report's templates and filters, and this room's own."""
    from jinja2 import ChoiceLoader, PackageLoader

    theirs = environment()
    assert theirs.loader
    return theirs.overlay(loader=ChoiceLoader([PackageLoader("forensics.prove"), theirs.loader]))


def _check(check: dict[str, str]) -> dict[str, str]:
    text = check["text"]
    if len(text) > _LONG:
        text = f"{text[:_LONG]}… (whole in the proof)"
    return {**check, "mark": _MARKS[check["state"]], "text": text}


def _moved(table: dict[str, Any]) -> int:
    """How many of a table's rows came, went or changed; of one not compared, more than of any."""
    if table["state"] == "failed":
        return 1 << 62
    return sum(table[name] or 0 for name in ("missing", "changed", "added"))


def _facts(proof: Proof) -> list[tuple[str, str, str]]:
    """What was compared: a fact's name, the backup's, live's."""
    backup, live = proof["backup"], proof["live"]
    compared = proof["compared"]
    return [
        ("what", _what(backup, "path"), _what(live, "dsn")),
        ("database", fact(backup["database"]), fact(live["database"])),
        ("sha256", fact(backup["sha256"]), fact(live.get("sha256"))),
        ("size", size(backup["bytes"]), "–"),
        ("server version", fact(backup["server_version"]), fact(live.get("server_version"))),
        ("pg_dump", fact(backup["dump_version"]), "–"),
        ("taken, read at", _moment(backup["taken"]["at"]), _moment(live.get("taken_at"))),
        ("tables compared", count(compared["tables"]), count(compared["tables"])),
        ("rows compared", count(compared["backup_rows"]), count(compared["live_rows"])),
    ]


def _what(side: dict[str, Any], name: str) -> str:
    kind = side["kind"] or "not read"
    named = side.get(name) or side.get("path") or side.get("dsn")
    return f"{named} ({kind})" if named else kind


def _moment(at: str | None) -> str:
    return moment(datetime.fromisoformat(at)) if at else "–"
