"""Every tool that a package brings, really run, with a dump between two of its migrations."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools import table
from tests.tools.driven import Driven
from tests.tools.incident import Server, measured
from tests.tools.kinds import drizzle, in_code, in_others, in_python, in_sql, prisma, programs

KINDS: tuple[type[Driven], ...] = (
    *prisma.KINDS,
    *drizzle.KINDS,
    *in_code.KINDS,
    *in_sql.KINDS,
    *in_python.KINDS,
    *in_others.KINDS,
    *programs.KINDS,
)


@pytest.mark.matrix
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.case)
def test_a_tool(kind: type[Driven], server: Server, tmp_path: Path) -> None:
    kind.fetch()
    found = measured(kind(), server, tmp_path)
    table.RAN[kind.name] = found
    assert found == table.wanted(kind.name)
    assert kind.version == table.ROWS[kind.name]["version"]
