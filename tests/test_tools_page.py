"""docs/tools.md is the table to which `make matrix` holds the tools, and no tool is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics.evidence.migrations.tools import TOOLS
from tests.servers.table import Table
from tests.tools import table

_PAGE = Path(__file__).parents[1] / "docs" / "tools.md"
_CASES = Path(__file__).parent / "cases" / "tools"


def test_the_page_has_the_table() -> None:
    assert table.markdown() in _PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["dumps", "stages"])
def test_the_page_has_the_servers(name: str) -> None:
    assert Table.kept(name).text() in _PAGE.read_text(encoding="utf-8")


def test_every_tool_is_in_it() -> None:
    said = {str(row["as"] or name) for name, row in table.ROWS.items()}
    assert {tool.name for tool in TOOLS if tool.history} <= said


def test_every_row_stands_on_what_a_tool_wrote() -> None:
    for name, row in table.ROWS.items():
        assert (_CASES / str(row["case"]) / "history.sql").exists(), name
