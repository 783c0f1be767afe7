"""Migration tools by what they write: each folder of `cases/tools` is one tool's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forensics.evidence import open_source
from forensics.evidence.migrations import read_folder, read_history
from forensics.scratch import Scratch

CASES = sorted((Path(__file__).parents[2] / "cases" / "tools").iterdir())

each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def expected(case: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    return found


@each
def test_its_folder(case: Path) -> None:
    wanted = expected(case)["folder"]
    found = read_folder(case / "migrations")
    assert (found.kind, [m.name for m in found.migrations]) == (
        wanted["kind"],
        wanted["migrations"],
    )
    assert all(migration.statements for migration in found.migrations)


@each
def test_its_history(
    case: Path, database: Callable[..., str], scratch: Scratch, tmp_path: Path
) -> None:
    wanted = expected(case)
    live = database((case / "history.sql").read_text(encoding="utf-8"))
    for side in (scratch.dsn(live), scratch.dump(live, tmp_path / "d.sql")):
        with open_source(side) as source:
            found = read_history(source)
        assert {entry.tool for entry in found} == {wanted["tool"]}
        names = ("name", "checksum", "in_force", "ran")
        assert [{n: getattr(entry, n) for n in names} for entry in found] == wanted["history"]
