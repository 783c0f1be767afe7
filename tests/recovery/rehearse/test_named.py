"""The rehearsal's own look at links notices where a recovery follows the number."""

from __future__ import annotations

import pytest

from forensics.recovery.choose import reused
from tests.recovery.choose.test_reused import AGAIN, CLUBS, Build


def _nothing(*_args: object) -> None:
    """Stand in for a step that is left out."""


def test_links_that_kept_their_numbers_are_noticed(
    incident: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = incident(CLUBS, AGAIN)
    monkeypatch.setattr(reused.Followed, "_translate", _nothing)
    plan = found.plan(rehearse=True, include_unexplained=True)
    assert not plan.holds
    words = [line for line in plan.problems if "other rows of clubs" in line]
    assert any("15 recovered rows of members" in line for line in words), plan.problems
    assert any("6 recovered rows of fees" in line for line in words)


def test_rows_that_are_no_longer_there_are_noticed(
    incident: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = incident(CLUBS, AGAIN.replace("'chess', 'a'", "'judges', 'x'"))
    monkeypatch.setattr(reused.Followed, "follow", _nothing)
    plan = found.plan(rehearse=True, include_unexplained=True)
    assert any("other rows of clubs" in line for line in plan.problems), plan.problems
