"""A shop, and copies of it that a test may change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from forensics.scratch import Scratch
from tests.prove import nights


@pytest.fixture(scope="session")
def template(scratch: Scratch) -> Iterator[str]:
    """The shop's database; nobody changes it."""
    scratch.create("shop_template")
    scratch.run("shop_template", nights.SCHEMA)
    yield "shop_template"
    scratch.drop("shop_template")


@pytest.fixture
def shop(
    scratch: Scratch, template: str, database: Callable[..., str], tmp_path: Path
) -> nights.Shop:
    """A shop of one's own."""
    return nights.Shop(scratch, database(template=template), tmp_path)
