"""What real tools wrote: each row finds its file, and all that a tool keeps is its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forensics.cause.history import place
from forensics.evidence import open_source
from forensics.evidence.migrations import is_history, read_folder, read_history
from forensics.scratch import Scratch

_TOOLS = Path(__file__).parents[1] / "cases" / "tools"


def _recorded() -> list[Path]:
    found = []
    for case in sorted(_TOOLS.iterdir()):
        if "placed" in _expected(case):
            found.append(case)
    return found


def _expected(case: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("case", _recorded(), ids=lambda case: case.name)
def test_each_row_finds_its_file(
    case: Path, database: Callable[..., str], scratch: Scratch
) -> None:
    wanted = _expected(case)
    live = database((case / "history.sql").read_text(encoding="utf-8"))
    with open_source(scratch.dsn(live)) as source:
        entries = read_history(source)
        tables = source.catalog.tables
    own = [name.table for name, table in sorted(tables.items()) if is_history(table)]
    assert own == wanted["tables"]
    assert len(own) == len(tables)
    history = place({"backup": [], "live": entries}, {}, read_folder(case / "migrations"), None)
    placed = {one.name: one.file for one in history.migrations if one.in_live}
    assert placed == wanted["placed"]
    assert [one.name for one in history.between] == [*wanted["placed"]]
    assert not any("has no file" in note for note in history.notes)


def _logged() -> list[Path]:
    found = []
    for case in _recorded():
        if "after" in _expected(case):
            found.append(case)
    return found


@pytest.mark.parametrize("case", _logged(), ids=lambda case: case.name)
def test_what_failed_and_what_was_taken_back_stands_in_its_log(
    case: Path, database: Callable[..., str], scratch: Scratch
) -> None:
    live = database((case / "after.sql").read_text(encoding="utf-8"))
    with open_source(scratch.dsn(live)) as source:
        entries = read_history(source)
    folder = read_folder(case / "migrations")
    history = place({"backup": [], "live": entries}, {}, folder, None)
    assert {one.name: one.state for one in history.migrations} == _expected(case)["after"]
