"""What is said of a Spark that will not do; no server is needed for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import forensics as fx
from bench.servers import free_port
from forensics.compare.cluster import session
from forensics.compare.cluster.choice import spark
from forensics.compare.cluster.session import Session
from forensics.errors import ClusterError, UsageError

ROOT = Path(__file__).parent.parent.parent.parent


class Server:
    """As much of a session as is asked for before any work is."""

    client = None

    def __init__(self, version: str | Exception) -> None:
        self._version = version

    @property
    def version(self) -> str:
        if isinstance(self._version, Exception):
            raise self._version
        return self._version


def refused(**wishes: Any) -> str:
    with (
        pytest.raises((UsageError, ClusterError)) as caught,
        spark(fx.Options(engine="spark", **wishes)),
    ):
        pass
    assert caught.value.hint
    return str(caught.value)


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said by the environment."""
    monkeypatch.delenv("FORENSICS_ENGINE", raising=False)
    monkeypatch.delenv("FORENSICS_MASTER", raising=False)


def test_duckdb_is_the_engine_where_nobody_says_another(monkeypatch: pytest.MonkeyPatch) -> None:
    with spark(fx.Options()) as nothing:
        assert nothing is None
    monkeypatch.setenv("FORENSICS_ENGINE", "spark")
    assert fx.Options().runs_on == "spark"
    assert fx.Options(engine="duckdb").runs_on == "duckdb"
    assert fx.Options(spark=Server("4.2.0")).runs_on == "spark"


def test_no_such_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="--engine sparc is no engine"):
        fx.Options(engine="sparc")
    monkeypatch.setenv("FORENSICS_ENGINE", "flink")
    with pytest.raises(UsageError, match="FORENSICS_ENGINE is flink"), spark(fx.Options()):
        pass


@pytest.mark.parametrize("master", ["spark://host:7077", "local[2]", "host:15002", "sc://h:port"])
def test_a_master_that_is_no_connect_server(master: str) -> None:
    said = refused(master=master)
    assert master in said and "start-connect-server.sh" in said and "Java 17" in said


def test_what_excludes_spark() -> None:
    assert "--nice" in refused(master="sc://h", nice=True)
    assert "--wire low" in refused(master="sc://h", wire="low")
    assert "--master" in refused()


def test_without_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    assert "pip install 'incident-forensics[spark]'" in refused(master="sc://127.0.0.1:1")


def test_a_master_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_require_client", lambda: None)
    said = refused(master=f"sc://127.0.0.1:{free_port()}")
    assert "cannot be reached: Connection refused" in said


def test_the_command_ends_with_2_and_a_sentence(tmp_path: Path) -> None:
    backup = tmp_path / "backup.sql"
    backup.write_text("-- PostgreSQL database dump\n")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "forensics", "compare", str(backup), "postgresql://h/d"),
            *("--engine", "spark", "--master", "yarn", "--json", "--case", str(tmp_path / "c")),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["kind"] == "usage"
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "c").exists()


def test_an_old_version() -> None:
    with pytest.raises(ClusterError, match=r"is Spark 3\.5\.1"):
        Session(None, Server("3.5.1"))


def test_a_session_with_a_jvm_of_its_own() -> None:
    with pytest.raises(UsageError, match="none of Spark Connect"):
        Session(None, object())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("[PYTHON_VERSION_MISMATCH] Python in worker has different version", "version of Python"),
        ("ModuleNotFoundError: No module named 'forensics'", "no module forensics"),
        ("status = UNAVAILABLE details: failed to connect to all addresses", "was lost"),
        ("Job aborted: postgresql://u:secret@h/d", "gave up"),
        ("", "gave up"),
    ],
)
def test_errors_of_spark_in_words(words: str, said: str) -> None:
    with pytest.raises(ClusterError, match=said) as caught:
        Session(None, Server(RuntimeError(words)))
    assert caught.value.hint and "secret" not in str(caught.value)


def test_a_server_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_ANSWER", 0.1)

    class Silent(Server):
        """Answers after a while."""

        @property
        def version(self) -> str:
            import time

            time.sleep(1)
            return "4.2.0"

    with pytest.raises(ClusterError, match="does not answer"):
        Session(None, Silent("4.2.0"))
