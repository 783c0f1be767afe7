"""Servers whose pg_dump writes the archives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from forensics.scratch import Scratch
from tests.evidence.archive.archives import EVERYTHING, PROGRAMS


@pytest.fixture(scope="module", params=PROGRAMS)
def server(request: pytest.FixtureRequest) -> Iterator[Scratch]:
    """A server of each version whose programs are there, with a database `odd` that holds a bit of
    everything."""
    programs = PROGRAMS[request.param]
    if not (programs / "postgres").is_file():
        pytest.skip(f"the programs of PostgreSQL {request.param} are not here")
    with Scratch(programs) as running:
        running.create("odd")
        running.run("odd", EVERYTHING)
        yield running


@pytest.fixture(scope="module")
def modern() -> Iterator[Scratch]:
    """One server for what does not hang on the version."""
    with Scratch(PROGRAMS["17"] if PROGRAMS["17"].is_dir() else None) as running:
        running.create("odd")
        running.run("odd", EVERYTHING)
        yield running
