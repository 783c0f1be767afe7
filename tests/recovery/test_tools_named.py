"""No tool is named that neither side has a sign of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from forensics.recovery.choose.options import ROLL_BACK
from tests.recovery.conftest import Incident

SCHEMA = "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 9)"


@pytest.mark.parametrize("history", ["schema_migrations", "_prisma_migrations"])
def test_a_tool_is_named_where_its_history_is(
    incident: Callable[..., Incident], history: str
) -> None:
    found = incident(f"{SCHEMA}; CREATE TABLE {history} (id text PRIMARY KEY)", "DELETE FROM t")
    with found.case as case:
        options = {option.name: option for option in case.recovery.plan.options}
    said = " ".join(options[ROLL_BACK].caveats)
    assert ("prisma" in said) is (history == "_prisma_migrations")
    assert "Reverting the schema" in said
