"""The database that migrations are looked at on."""

from __future__ import annotations

import pytest

from forensics.scratch import Scratch
from tests.preflight.cases import BEFORE


@pytest.fixture(scope="session")
def template(scratch: Scratch) -> str:
    scratch.create("preflight")
    scratch.run("preflight", BEFORE)
    return "preflight"
