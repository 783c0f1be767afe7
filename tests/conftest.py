"""Fixtures that everybody shares: a real PostgreSQL, databases on it, and a case to write into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from forensics.scratch import Scratch

_numbers = count()


@pytest.fixture(scope="session")
def scratch() -> Iterator[Scratch]:
    """A PostgreSQL server of our own, for the whole run."""
    with Scratch() as server:
        yield server


@pytest.fixture
def database(scratch: Scratch) -> Iterator[Callable[..., str]]:
    """Make a database from SQL (or as a copy of another) and return its name; it is dropped afterwards."""
    made: list[str] = []

    def make(sql: str = "", template: str | None = None) -> str:
        name = f"t{next(_numbers)}"
        scratch.create(name, template)
        made.append(name)
        if sql:
            scratch.run(name, sql)
        return name

    yield make
    for name in made:
        scratch.drop(name)


@pytest.fixture
def case_folder(tmp_path: Path) -> Path:
    """Where a test's case goes."""
    return tmp_path / "case"
