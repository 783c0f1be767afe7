"""What benchmarks share: processes that are timed, and the lines that come of it.

A line is a piece of work beside a peer, which did something comparable in the same run. Each script
adds its lines to `build/bench.json`, in place of those that it added before.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

BUILD = Path(__file__).resolve().parent.parent / "build"
_FILE = "bench.json"


@dataclass(frozen=True)
class Spent:
    """What one process and its children took: seconds, and bytes of the largest of them."""

    wall: float
    processor: float = 0.0
    peak: int = 0
    output: str = ""


def parser(doc: str | None) -> argparse.ArgumentParser:
    """What reads a benchmark's options: its help is what its file says, as it stands there."""
    return argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def spent(
    command: Sequence[str | Path],
    env: Mapping[str, str] | None = None,
    *,
    folder: Path | None = None,
    statuses: Sequence[int] = (0, 1),
) -> Spent:
    """Run a process and take its time.

    Args:
        folder: where it runs.
        statuses: those that are no failure.

    Raises:
        RuntimeError: it failed in a way that the benchmark does not expect.
    """
    env = {**(env or os.environ), "PYTHONDONTWRITEBYTECODE": ""}  # whoever installs it compiles it
    with tempfile.TemporaryFile() as out:
        started = time.monotonic()
        child = subprocess.Popen([str(c) for c in command], stdout=out, env=env, cwd=folder)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        output = out.read().decode("utf-8", "replace")
    if child.returncode not in statuses:
        raise RuntimeError(f"{command[:4]} ended with {child.returncode}: {output[-500:]}")
    processor = usage.ru_utime + usage.ru_stime
    return Spent(wall, processor, usage.ru_maxrss * 1024, output)


def timed(work: Callable[[], object]) -> Spent:
    """Do work in this process and its children, and take its time."""
    before, started = os.times(), time.monotonic()
    work()
    wall, after = time.monotonic() - started, os.times()
    return Spent(wall, sum(after[:4]) - sum(before[:4]))


@dataclass(frozen=True)
class Line:
    """One piece of work, in seconds, and beside its peer: medians over the runs.

    Attributes:
        ratio: the median of the ratios of wall time, each within one run; None for a peer.
        processors: the same of processor time.
        reach: what the ratio is to be at most; None where nothing is asked of it.
        note: what it found, or why there is nothing.
    """

    work: str
    peer: str = ""
    wall: float | None = None
    processor: float | None = None
    peak: int | None = None
    ratio: float | None = None
    processors: float | None = None
    reach: float | None = None
    note: str = ""


@dataclass
class Sheet:
    """The lines of one benchmark.

    Attributes:
        name: of the benchmark.
        of: what was measured, in a few words.
    """

    name: str
    of: str
    lines: list[Line] = field(default_factory=list)

    def peer(self, work: str, runs: Sequence[Spent], note: str = "") -> None:
        """Add what others are held against."""
        self.lines.append(_line(work, runs, note=note))

    def add(
        self,
        work: str,
        runs: Sequence[Spent],
        peer: str,
        peers: Sequence[Spent],
        *,
        reach: float | None = None,
        note: str = "",
    ) -> Line:
        """Add a piece of work; each of its runs is held against the peer's of the same turn."""
        line = _line(work, runs, peer, peers, reach, note)
        self.lines.append(line)
        return line

    def lacks(self, work: str, why: str) -> None:
        """Say that something was not measured."""
        self.lines.append(Line(work, note=f"not measured: {why}"))

    def close(self) -> None:
        """Print the lines, and write them into `build/bench.json`."""
        print(f"\n{self.of}\n")
        print(
            f"{'what':<44}{'wall s':>9}{'ratio':>8}{'reach':>7}{'proc. s':>9}{'ratio':>8}{'MB':>7}"
        )
        for line in self.lines:
            print(_row(line))
        write(self.name, {"of": self.of, "lines": [asdict(line) for line in self.lines]})


def write(name: str, found: Mapping[str, object]) -> None:
    """Put what a benchmark found into `build/bench.json`."""
    BUILD.mkdir(exist_ok=True)
    path = BUILD / _FILE
    held = {}
    if path.exists():
        held = json.loads(path.read_text(encoding="utf-8"))
    held[name] = {"cores": os.cpu_count(), "python": sys.version.split()[0], **found}
    path.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")


def _line(
    work: str,
    runs: Sequence[Spent],
    peer: str = "",
    peers: Sequence[Spent] = (),
    reach: float | None = None,
    note: str = "",
) -> Line:
    return Line(
        work,
        peer,
        wall=statistics.median(one.wall for one in runs),
        processor=statistics.median(one.processor for one in runs),
        peak=max(one.peak for one in runs),
        ratio=_ratio([(a.wall, b.wall) for a, b in zip(runs, peers, strict=False)]),
        processors=_ratio([(a.processor, b.processor) for a, b in zip(runs, peers, strict=False)]),
        reach=reach,
        note=note,
    )


def _ratio(pairs: Sequence[tuple[float, float]]) -> float | None:
    found = [ours / theirs for ours, theirs in pairs if ours and theirs]
    if not found:
        return None
    return statistics.median(found)


def _row(line: Line) -> str:
    said = [
        f"{line.work:<44}",
        _number(line.wall, 9, 2),
        _number(line.ratio, 8, 2),
        _number(line.reach, 7, 2),
        _number(line.processor or None, 9, 2),
        _number(line.processors, 8, 2),
        _number(line.peak / 1e6 if line.peak else None, 7, 0),
        f"  {line.note}" if line.note else "",
    ]
    return "".join(said).rstrip()


def _number(value: float | None, width: int, places: int) -> str:
    if value is None:
        return " " * (width - 1) + "–"
    return f"{value:>{width}.{places}f}"
