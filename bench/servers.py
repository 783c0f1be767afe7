"""Spark Connect servers, for tests and benchmarks: Sail, and a standalone cluster of Spark."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parent.parent
_JAVA = 17
_PATIENCE = 120  # seconds

_SAIL = """
import sys, time
from pysail.spark import SparkConnectServer
server = SparkConnectServer(ip="127.0.0.1", port=int(sys.argv[1]))
server.start(background=True)
while True:
    time.sleep(3600)
"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def why_no_sail() -> str | None:
    """Why there is no Sail here, or None."""
    done = subprocess.run(
        [sys.executable, "-c", "import pysail.spark, pyspark"], capture_output=True, check=False
    )
    return None if done.returncode == 0 else "pysail or pyspark-client is not installed"


def why_no_cluster() -> str | None:
    """Why there is no standalone cluster here, or None."""
    java = shutil.which("java")
    if java is None:
        return "there is no Java"
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < _JAVA:
        return f"Java is older than {_JAVA}: {said.splitlines()[0]}"
    if not _server_python():
        return "SPARK_PYTHON names no Python that has pyspark with its jars"
    return None


def _server_python() -> Path | None:
    """The Python whose pyspark brings a server; the client's own has none."""
    named = os.environ.get("SPARK_PYTHON")
    if not named or not Path(named).exists():
        return None
    return Path(named)


class Processes:
    """Processes that end with the block."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="forensics-spark-test-"))
        self.started: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: Sequence[str | Path], **variables: str) -> None:
        """Start a process, in a group of its own, whose output goes to a file."""
        with (self.folder / f"{name}.log").open("wb") as log:
            self.started[name] = subprocess.Popen(
                list(map(str, command)),
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, **variables},
                start_new_session=True,
            )

    def log(self, name: str) -> str:
        """What a process wrote."""
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")

    def kill(self, name: str) -> None:
        """Kill a process, and what it started."""
        process = self.started.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def wait_for(self, what: str, there: Callable[[], bool]) -> None:
        """Wait until something is so."""
        until = time.monotonic() + _PATIENCE
        while not there():
            for name, process in self.started.items():
                assert process.poll() is None, f"{name} ended: {self.log(name)[-2000:]}"
            assert time.monotonic() < until, f"{what} takes too long"
            time.sleep(0.2)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        for name in list(self.started):
            self.kill(name)
        shutil.rmtree(self.folder, ignore_errors=True)


def _listens(port: int) -> bool:
    with socket.socket() as knocking:
        return knocking.connect_ex(("127.0.0.1", port)) == 0


class Sail(Processes):
    """Sail in a process: Spark Connect without Java."""

    def __enter__(self) -> Sail:
        port = free_port()
        self.master = f"sc://127.0.0.1:{port}"
        path = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
        self.start(
            "sail",
            [sys.executable, "-c", _SAIL, str(port)],
            RUST_LOG="error",
            PYTHONPATH=path,
            TOKIO_WORKER_THREADS="16",
        )
        self.wait_for("Sail", lambda: _listens(port))
        return self


class Standalone(Processes):
    """Spark's own master with workers of a core each, and a Connect server on it.

    Args:
        workers: how many.
        settings: more of Spark's.
    """

    def __init__(self, workers: int = 2, settings: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._workers = workers
        self._settings = dict(settings or {})

    def __enter__(self) -> Standalone:
        python = _server_python()
        assert python is not None
        found = subprocess.run(
            [python, "-c", "import pyspark; print(pyspark.__path__[0])"],
            capture_output=True,
            text=True,
            check=True,
        )
        self.home = found.stdout.strip()
        self._variables = {
            "SPARK_HOME": self.home,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "PYSPARK_PYTHON": str(python),
            "PYSPARK_DRIVER_PYTHON": str(python),
            "PYTHONPATH": str(ROOT),
        }
        self._port, port = free_port(), free_port()
        self._run("master", "deploy.master.Master", "--port", str(self._port))
        self.wait_for("the master", lambda: _listens(self._port))
        for number in range(1, self._workers + 1):
            self.add_worker(number)
        self._connect(port)
        self.master = f"sc://127.0.0.1:{port}"
        self.wait_for("the Connect server", lambda: _listens(port))
        self.wait_for(
            "the executors",
            lambda: self.log("connect").count("Registered executor") >= self._workers,
        )
        return self

    def add_worker(self, number: int) -> None:
        """Start a worker."""
        self._run(
            f"worker{number}",
            "deploy.worker.Worker",
            *("-c", "1", "-m", "1g", "-d", str(self.folder / f"work{number}")),
            f"spark://127.0.0.1:{self._port}",
        )

    def _connect(self, port: int) -> None:
        settings = {
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": str(port),
            "spark.executor.memory": "600m",
            "spark.executor.cores": "1",
            "spark.ui.enabled": "false",
            **self._settings,
        }
        given = []
        for name, value in settings.items():
            given += ["--conf", f"{name}={value}"]
        self.start(
            "connect",
            [
                f"{self.home}/bin/spark-class",
                "org.apache.spark.deploy.SparkSubmit",
                *("--master", f"spark://127.0.0.1:{self._port}"),
                *given,
                *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer"),
                *("--name", "connect", "spark-internal"),
            ],
            **self._variables,
        )

    def _run(self, name: str, program: str, *arguments: str) -> None:
        command = [
            f"{self.home}/bin/spark-class",
            f"org.apache.spark.{program}",
            *("--host", "127.0.0.1", "--webui-port", "0"),
            *arguments,
        ]
        self.start(name, command, **self._variables)
