"""The sample incident through every stage: compare, cause, recover --rehearse, report.

    python -m bench.sample [--runs 3]

Each stage is a command of its own, as people run it. What starting throw-away servers takes is
measured apart: `cause` and the rehearsal start some, and no code of the kit makes that faster.
`python -m bench.against REV` runs the same with another revision in turns.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.sheet import Sheet, Spent, parser, spent, timed
from forensics.scratch import Scratch
from sample_data import build
from sample_data.world import BACKUP_AT, INCIDENT_AT

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("compare", "cause", "recover", "report")
WHOLE = "all four"


@contextmanager
def incident() -> Iterator[str]:
    """Lend the connection string of the sample's live database."""
    with Scratch() as server:
        build.build_live(server, "travel")
        yield server.dsn("travel")


def stages(
    dsn: str, env: Mapping[str, str], root: Path = ROOT, program: str = sys.executable
) -> dict[str, Spent]:
    """Take the incident through every stage with the kit that lies in a folder.

    Args:
        dsn: of the live database.
        root: where the kit lies.
        program: the Python that runs it.
    """
    migrations = build.MIGRATIONS
    with tempfile.TemporaryDirectory(prefix="forensics-bench-") as name:
        case, out = Path(name) / "case", Path(name) / "out"
        times = ["--backup-at", str(BACKUP_AT), "--incident-at", str(INCIDENT_AT)]
        rehearsal: list[str | Path] = ["--rehearse", "--live", dsn, "--migrations", migrations]
        commands: dict[str, list[str | Path]] = {
            "compare": [build.BACKUP, dsn, "--case", case, *times],
            "cause": [case, "--migrations", migrations],
            "recover": [case, "--out", out, *rehearsal],
            "report": [case, "--out", out / "report.html"],
        }
        found = {}
        for stage in STAGES:
            command = [program, "-m", "forensics", stage, *commands[stage], "--quiet"]
            found[stage] = spent(command, env, folder=root)
    found[WHOLE] = Spent(
        sum(one.wall for one in found.values()),
        sum(one.processor for one in found.values()),
        max(one.peak for one in found.values()),
    )
    return found


def starts() -> Spent:
    """What starting a throw-away server and ending it takes."""

    def start() -> None:
        with Scratch() as server:
            server.create("nothing")

    return timed(start)


def main() -> None:
    """Measure in turns and print a table."""
    asked = parser(__doc__)
    asked.add_argument("--runs", type=int, default=3)
    options = asked.parse_args()
    turns, servers = [], []
    with incident() as dsn:
        for _ in range(options.runs):
            servers.append(starts())
            turns.append(stages(dsn, os.environ))
    sheet = Sheet("sample", f"the sample incident, {options.runs} runs, medians")
    sheet.peer("one throw-away server, started and ended", servers)
    for stage in (*STAGES, WHOLE):
        runs = [turn[stage] for turn in turns]
        sheet.add(stage, runs, "one throw-away server", servers)
    sheet.close()


if __name__ == "__main__":
    main()
