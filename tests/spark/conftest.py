"""The servers, each for the whole run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.spark import servers


@pytest.fixture(scope="session")
def sail() -> Iterator[servers.Sail]:
    """Sail; a test that needs it is skipped where there is none."""
    if why := servers.why_no_sail():
        pytest.skip(why)
    with servers.Sail() as server:
        yield server


@pytest.fixture(scope="session")
def standalone() -> Iterator[servers.Standalone]:
    """A standalone cluster of two workers; a test that needs it is skipped where there is none."""
    if why := servers.why_no_cluster():
        pytest.skip(why)
    with servers.Standalone() as server:
        yield server


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment without what says which engine is meant."""
    for name in [*os.environ]:
        if name.startswith(("FORENSICS_", "SPARK_")):
            monkeypatch.delenv(name)
    return monkeypatch
