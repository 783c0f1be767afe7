"""A database of many types and shapes, and its dumps in every form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from forensics.scratch import Scratch
from tests.export.world import MORE
from tests.query import world

NAME = "exported"


@pytest.fixture(scope="session")
def dumps(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a dump of every form; the database is there as `dsn`."""
    folder = tmp_path_factory.mktemp("exported")
    world.dumped(scratch, NAME, folder, MORE)
    yield folder
    scratch.drop(NAME)


@pytest.fixture(scope="session")
def dsn(scratch: Scratch, dumps: Path) -> str:
    """The database that the dumps are of."""
    return scratch.dsn(NAME)
