"""Spark Connect: a session of a server that answers, and what it says in words of ours."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pyarrow as pa

from forensics.compare.cluster import shell
from forensics.compare.cluster.work import SCHEMAS, Piece, Work, version
from forensics.errors import ClusterError, UsageError, redact

_PORT = 15002
_PATIENCE = 15  # seconds, for a port that answers
_ANSWER = 90  # seconds, for a session
_FIRST_WORK = 300  # seconds: some clusters start executors when they are asked for
_INTERRUPTED = 3  # seconds
_TRIES = 5  # within twenty seconds
_OLDEST = 4  # Spark that has Python data sources
_LANGUAGE = re.compile(r"PYTHON_VERSION_MISMATCH|different (?:minor )?version.{0,40}Python", re.I)
_LACKING = re.compile(r"No module named '?(forensics[\w.]*|[\w.]+)'?")
_GONE = re.compile(
    r"UNAVAILABLE|Connection refused|SESSION_NOT_FOUND|SESSION_CLOSED|Socket closed"
    r"|failed to connect|SparkContext was shut down|stopped SparkContext",
    re.I,
)

_Answer = TypeVar("_Answer")


class Session:
    """A session of a Spark Connect server.

    Args:
        master: its address, `sc://HOST:PORT`; None where a session is given.
        session: one that is there already; it is left open.

    Attributes:
        is_shared: whether its executors are threads of one Python, which wait for each other.

    Raises:
        UsageError: the address is none of Spark Connect.
        ClusterError: nothing answers there, or what does will not do.
    """

    def __init__(self, master: str | None, session: Any | None = None) -> None:
        self.is_shared = False
        self._own = session is None
        self._tag = f"forensics-{id(self)}"
        self.where = "The Spark session"
        if session is None:
            assert master is not None
            host, port = address_of(master)
            self.where = f"The Spark master sc://{host}:{port}"
            _require_client()
            _knock(self.where, host, port)
            session = _within(_ANSWER, lambda: _opened(master), self._silent)
        elif not hasattr(session, "client"):
            raise UsageError(
                "The Spark session is none of Spark Connect.",
                "Make one: SparkSession.builder.remote('sc://HOST:15002').getOrCreate().",
            )
        self.spark = session
        try:
            self._expect_version()
            self._expect_executors()
        except BaseException:
            self.close()
            raise

    # --- what is asked of it ----------------------------------------------------------------------

    def rows(self, name: str, work: Work, mode: str, parts: Sequence[Sequence[Piece]]) -> Any:
        """A data frame of what executors read: a partition for each of `parts`."""
        made = shell.source(f"forensics_{id(self)}_{name}", work, mode, parts, SCHEMAS[mode])
        return self._asked(lambda: self._frame(made))

    def _frame(self, made: Any) -> Any:
        self.spark.dataSource.register(made)
        return self.spark.read.format(made.name()).load()

    def table(self, rows: pa.Table) -> Any:
        """A data frame of rows of ours."""
        return self._asked(lambda: self.spark.createDataFrame(rows))

    def batches(self, frame: Any) -> Iterator[pa.Table]:
        """What a data frame holds, as it comes."""
        client = self.spark.client

        def begin() -> Iterator[Any]:
            self.spark.addTag(self._tag)
            plan = frame._plan.to_proto(client)
            return iter(client.to_table_as_iterator(plan, {}))

        asked = self._asked(begin)
        while True:
            found = self._asked(lambda: next(asked, None))
            if found is None:
                return
            if isinstance(found, pa.Table):
                yield found

    def _asked(self, question: Callable[[], _Answer]) -> _Answer:
        try:
            return question()
        except Exception as error:  # of pyspark, of gRPC, or of what runs in an executor
            raise self._said(error) from None

    # --- whether it will do -----------------------------------------------------------------------

    def _expect_version(self) -> None:
        version = str(_within(_ANSWER, lambda: self._asked(self._version), self._silent))
        major = re.match(r"\d+", version)
        if major is None or int(major[0]) < _OLDEST:
            raise ClusterError(
                f"{self.where} is Spark {version}, which has no data sources written in Python.",
                "Take a cluster of Spark 4.0 or later; 4.2 is tested.",
            )

    def _version(self) -> str:
        return str(self.spark.version)

    def _expect_executors(self) -> None:
        """Have one executor say that it can do the work."""

        def ask() -> list[tuple[str, bool]]:
            made = shell.probe(f"forensics_{id(self)}_probe", version())
            frame = self._asked(lambda: self._frame(made))
            said: list[tuple[str, bool]] = []
            for table in self.batches(frame):
                said += [(row["said"], row["shared"]) for row in table.to_pylist()]
            return said

        for words, is_shared in _within(_FIRST_WORK, ask, self._idle):
            self.is_shared = is_shared
            if words:
                raise ClusterError(f"The executors cannot read rows: {words}.", shell.INSTALL)

    def _silent(self) -> ClusterError:
        return ClusterError(
            f"{self.where} does not answer: it gave no session within {_ANSWER} seconds.",
            "Is it a Spark Connect server, and of Spark 4?",
        )

    def _idle(self) -> ClusterError:
        return ClusterError(
            f"{self.where} has no executor that takes work: none did within {_FIRST_WORK} seconds.",
            "Does the cluster have workers with a free core?",
        )

    def _said(self, error: Exception) -> ClusterError:
        """What an error of Spark's means."""
        if isinstance(error, ClusterError):
            return error
        text = redact(str(error))
        first = next((line.strip() for line in text.splitlines() if line.strip()), "")
        if _LANGUAGE.search(text):
            return ClusterError(
                f"{self.where} runs another version of Python than this process.",
                "Run both with the same minor version, such as 3.12: PYSPARK_PYTHON sets the"
                " executors'.",
            )
        if lacking := _LACKING.search(text):
            return ClusterError(
                f"The executors cannot read rows: they have no module {lacking[1]}.", shell.INSTALL
            )
        if _GONE.search(text):
            return ClusterError(
                f"{self.where} was lost. What was compared is kept.",
                "Go on with --resume when it answers again.",
            )
        return ClusterError(
            f"{self.where} gave up: {first[:300].rstrip('.') or type(error).__name__}.",
            "Its own log says more. What was compared is kept: go on with --resume.",
        )

    def interrupt(self) -> None:
        """End what is asked; whoever waits for an answer gets an error."""
        with contextlib.suppress(Exception):
            _within(_INTERRUPTED, lambda: self.spark.interruptTag(self._tag), self._silent)
        if self._own:
            with contextlib.suppress(Exception):
                self.spark.client.close()

    def close(self) -> None:
        """End the session, unless somebody else opened it."""
        if self._own:
            with contextlib.suppress(Exception):  # it may be gone
                _within(_PATIENCE, self.spark.stop, self._silent)


def address_of(master: str) -> tuple[str, int]:
    """The host and the port that an address of Spark Connect names.

    Raises:
        UsageError: it is none.
    """
    parts = urlsplit(master)
    try:
        port = parts.port or _PORT
    except ValueError:
        port = 0
    if parts.scheme != "sc" or not parts.hostname or not port:
        raise UsageError(
            f"--master {redact(master)} is no address of a Spark Connect server.",
            "Write sc://HOST:15002. Of a cluster with another address (spark://, yarn, k8s://), "
            "start one: sbin/start-connect-server.sh --master ADDRESS, which needs Java 17; "
            "pysail is one that needs no Java.",
        )
    return parts.hostname, port


def _knock(where: str, host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), _PATIENCE).close()
    except OSError as error:
        why = error.strerror or "it does not answer"
        raise ClusterError(
            f"{where} cannot be reached: {why}.",
            "Does a Spark Connect server run there, and does the network let you through?",
        ) from error


def _require_client() -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pandas, which nothing here uses
            import pyspark
            import pyspark.sql.connect.session
    except (ImportError, SystemExit) as error:  # within python -c it takes itself for a test
        raise ClusterError(
            "--engine spark needs a client of Spark Connect, and there is none that can be loaded: "
            f"{str(error).partition(chr(10))[0].rstrip('.')}.",
            "Install it: pip install 'incident-forensics[spark]'.",
        ) from error
    version = tuple(int(part) for part in re.findall(r"\d+", pyspark.__version__)[:2])
    if not (4, 0) <= version < (5, 0):
        raise ClusterError(
            f"pyspark {pyspark.__version__} is installed, and 4 is needed.",
            "Install it: pip install 'incident-forensics[spark]'.",
        )


def _opened(master: str) -> Any:
    from pyspark.sql.connect.client.retries import DefaultPolicy
    from pyspark.sql.connect.session import SparkSession

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = SparkSession.builder.remote(master).create()
    # Left to itself it tries for ten minutes to reach a server that is gone.
    found.client.set_retry_policies([DefaultPolicy(max_retries=_TRIES)])
    return found


def _within(
    seconds: float, call: Callable[[], _Answer], late: Callable[[], ClusterError]
) -> _Answer:
    """The answer of a call, unless it takes too long: then a thread goes on waiting for it."""
    found: list[_Answer] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            found.append(call())
        except Exception as error:  # raised where it is waited for
            failed.append(error)

    thread = threading.Thread(target=run, name="spark", daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not found and thread.is_alive():
        raise late()
    return found[0]
