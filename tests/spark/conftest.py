"""The servers, each for the whole run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from bench import servers
from forensics.scratch import Scratch
from tests.spark.world import Expected, World, compared


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


@pytest.fixture(scope="session")
def world(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    yield World(scratch, tmp_path_factory.mktemp("world"))
    for name in ("before_spark", "after_spark"):
        scratch.drop(name)


@pytest.fixture(scope="session")
def expected(world: World, tmp_path_factory: pytest.TempPathFactory) -> Expected:
    """What DuckDB says of a form of dump."""
    held: dict[str, dict[str, Any]] = {}

    def ask(form: str) -> dict[str, Any]:
        if form not in held:
            folder = tmp_path_factory.mktemp("expected")
            held[form] = compared(world.dumps[form], world.live, folder)
        return held[form]

    return ask
