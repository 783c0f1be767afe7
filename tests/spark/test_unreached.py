"""Executors that cannot do the work: one sentence, and a case that can be gone on with."""

from __future__ import annotations

from pathlib import Path

import pytest

import forensics as fx
from bench import servers
from bench.servers import Sail
from forensics.errors import ClusterError, LiveError
from forensics.evidence import files
from forensics.evidence.live.connection import Connections
from forensics.evidence.live.readers import Copying
from forensics.evidence.live.source import LiveSource
from tests.spark.world import Expected, World, answer

pytestmark = pytest.mark.spark


def run(world: World, case: Path, master: str, **wishes: object) -> fx.Case:
    options = fx.Options(engine="spark", master=master, **wishes)  # type: ignore[arg-type]
    return fx.compare(world.dumps["plain"], world.live, case, options=options)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sys.modules['forensics'] = None", "ModuleNotFoundError"),
        ("import forensics; forensics.__version__ = '0.0.1'", "they have version 0.0.1"),
    ],
)
def test_executors_without_this_kit(
    line: str, said: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if why := servers.why_no_sail():
        pytest.skip(why)
    monkeypatch.setattr(servers, "_SAIL", f"import sys\n{line}\n{servers._SAIL}")
    with Sail() as server, pytest.raises(ClusterError, match=said) as caught:
        run(world, tmp_path / "case", server.master)
    assert "pip install incident-forensics" in str(caught.value)


def test_a_file_that_executors_do_not_have(
    world: World,
    expected: Expected,
    sail: Sail,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            files.PlainFile,
            "__reduce__",
            lambda file: (files._reopened, (Path("/not/there.sql"), file.size)),
        )
        with pytest.raises(ClusterError, match=r"does not reach .* no file /not/there\.sql"):
            run(world, tmp_path / "case", sail.master)
    found = answer(run(world, tmp_path / "case", sail.master, resume=True))
    assert found == expected("plain")


def test_a_database_that_executors_do_not_reach(
    world: World, sail: Sail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Connections.__getstate__

    def elsewhere(connections: Connections) -> dict[str, object]:
        state = real(connections)
        parameters = {**state["parameters"], "host": "127.0.0.1", "port": servers.free_port()}
        parameters.pop("hostaddr", None)
        return {**state, "parameters": parameters}

    monkeypatch.setattr(Connections, "__getstate__", elsewhere)
    with pytest.raises(ClusterError, match="does not reach") as caught:
        run(world, tmp_path / "case", sail.master)
    assert "cannot be reached" in str(caught.value)


def test_a_pooler_between(
    world: World, sail: Sail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = LiveSource.task

    def other(*given: object) -> Copying:
        task = real(*given)  # type: ignore[arg-type]
        return Copying("00000003-00000099-1", task.pins, task.statement, task.check, task.server)

    monkeypatch.setattr(LiveSource, "task", other)
    with run(world, tmp_path / "case", sail.master) as case:
        reasons = {r.reason for r in case.results if r.state == "failed"}
    assert reasons and all("pooler" in str(reason) for reason in reasons)
    assert issubclass(LiveError, Exception)
