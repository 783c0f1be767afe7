"""Data sources of Spark's, as thin as can be: classes that find this kit where they run.

They are made anew for each question and are sent as they are, by value: an executor that has no
such kit says so, where a class that is looked up there would fail on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forensics.compare.cluster.work import Piece, Work

INSTALL = (
    "Install the same version of incident-forensics in the Python of the executors "
    "(pip install incident-forensics), or send it with the session; docs/spark.md says how."
)


def written(work: object) -> bytes:
    """Something as bytes, from which `pickle` makes it again: functions within functions, too."""
    from pyspark import cloudpickle

    return bytes(cloudpickle.dumps(work))  # type: ignore[no-untyped-call]


def source(
    name: str, work: Work, mode: str, parts: Sequence[Sequence[Piece]], columns: str
) -> type[Any]:
    """A data source that reads parts of tables, a partition for each of `parts`.

    Args:
        name: what Spark calls it.
        work: all that is to be done; every executor has it once.
        mode: what is read of each line.
        parts: what each partition reads.
        columns: as Spark writes them.
    """
    from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

    sent = written(work)
    listed = [list(pieces) for pieces in parts]

    class Reader(DataSourceReader):  # type: ignore[misc]
        def __init__(self, work: bytes, mode: str, parts: list[Any]) -> None:
            self.work, self.mode, self.parts = work, mode, parts

        def partitions(self) -> list[Any]:
            return [InputPartition(pieces) for pieces in self.parts]

        def __getstate__(self) -> dict[str, Any]:
            # An executor is told of its own parts alone.
            return {"work": self.work, "mode": self.mode, "parts": []}

        def read(self, partition: Any) -> Any:
            import pickle

            from forensics.compare.cluster.work import read

            work = pickle.loads(self.work)  # noqa: S301 - the kit wrote it
            yield from read(work, self.mode, partition.value)

    class Rows(DataSource):  # type: ignore[misc]
        @classmethod
        def name(cls) -> str:
            return name

        def schema(self) -> str:
            return columns

        def reader(self, schema: Any) -> Any:
            return Reader(sent, mode, listed)

    return Rows


def probe(name: str, version: str) -> type[Any]:
    """A data source of one row: why an executor cannot do the work, or nothing; and whether it
    shares a process with the others, as Sail's do.

    Args:
        name: what Spark calls it.
        version: of this kit, here.
    """
    from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

    class Reader(DataSourceReader):  # type: ignore[misc]
        def partitions(self) -> list[Any]:
            return [InputPartition(0)]

        def read(self, partition: Any) -> Any:
            import sys

            said = ""
            try:
                from forensics.compare.cluster.work import version as there

                if there() != version:
                    said = f"they have version {there()} of the kit, not {version}"
            except Exception as error:
                said = f"{type(error).__name__}: {error}"
            yield (said, "pysail" in sys.modules)

    class Probe(DataSource):  # type: ignore[misc]
        @classmethod
        def name(cls) -> str:
            return name

        def schema(self) -> str:
            return "said string, shared boolean"

        def reader(self, schema: Any) -> Any:
            return Reader()

    return Probe
