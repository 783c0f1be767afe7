"""A server for the tools, and the table at the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from forensics.scratch import Scratch
from tests.tools import table
from tests.tools.incident import Server
from tests.tools.place import port_of


@pytest.fixture(scope="session")
def server(scratch: Scratch) -> Iterator[Server]:
    """The scratch server, with a port."""
    with port_of(scratch) as port:
        yield Server(scratch, port)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was run, and what was not."""
    if table.RAN:
        terminalreporter.section("migration tools")
        for line in table.printed():
            terminalreporter.write_line(line)
