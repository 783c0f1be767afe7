"""What a comparison costs the server: processor seconds of its backends, and buffers read.

    python -m bench.gentle --rows 1000000

Beside `pg_dump` of the same database to nowhere. Only Linux tells what a server's children took.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.compare import BEFORE
from bench.sheet import Sheet, Spent, parser, spent
from forensics.scratch import Scratch

_PEER = "pg_dump -f /dev/null"
_BUFFERS = """
SELECT blks_read + blks_hit FROM pg_stat_database WHERE datname = 'bench'
"""


@dataclass(frozen=True)
class _Meter:
    """Reads what a server's backends took, once they have ended."""

    server: Scratch

    def read(self) -> tuple[float, int]:
        """Processor seconds of all that have ended so far, and buffers that were asked for."""
        time.sleep(1.5)  # statistics are told a second late
        fields = Path(f"/proc/{self._postmaster()}/stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[13]) + int(fields[14])
        buffers = int(self.server.run("bench", _BUFFERS).strip())
        return ticks / os.sysconf("SC_CLK_TCK"), buffers

    def _postmaster(self) -> int:
        folder = self.server.run("bench", "SHOW data_directory").strip()
        return int((Path(folder) / "postmaster.pid").read_text().splitlines()[0])

    def run(self, command: Sequence[str | Path], env: dict[str, str]) -> tuple[Spent, int]:
        """Run a process; return what the server's backends took of it, and the buffers."""
        before, read = self.read()
        wall = spent(command, env).wall
        after, now = self.read()
        return Spent(wall, after - before), now - read


def main() -> None:
    """Measure in turns and print a table."""
    asked = parser(__doc__)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--runs", type=int, default=3)
    options = asked.parse_args()
    sheet = Sheet(
        "gentle", f"what {options.rows:,} rows cost the server; processor seconds are its backends'"
    )
    if not sys.platform.startswith("linux"):
        sheet.lacks("compare", "this system does not tell what a server's children took")
        sheet.close()
        return
    with (
        Scratch(settings={"max_wal_size": "4GB"}) as server,
        tempfile.TemporaryDirectory(prefix="forensics-bench-") as name,
    ):
        server.create("bench")
        server.run("bench", BEFORE.format(rows=options.rows))
        server.run("bench", "VACUUM ANALYZE")
        backup = server.dump("bench", Path(name) / "backup.sql")
        _measure(sheet, server, backup, options.runs)
    sheet.close()


def _measure(sheet: Sheet, server: Scratch, backup: Path, runs: int) -> None:
    meter, env, dsn = _Meter(server), {**os.environ, **server.env}, server.dsn("bench")
    case = backup.parent / "case"
    compare: list[str | Path] = [
        sys.executable,
        "-m",
        "forensics",
        "compare",
        backup,
        dsn,
        "--force",
    ]
    commands: dict[str, list[str | Path]] = {
        _PEER: [server.bin / "pg_dump", "-f", "/dev/null", "-d", dsn],
        "compare": [*compare, "--quiet", "--case", case],
        "compare --nice": [*compare, "--quiet", "--case", case, "--nice"],
    }
    took: dict[str, list[Spent]] = {what: [] for what in commands}
    buffers = dict.fromkeys(commands, 0)
    for _ in range(runs):
        for what, command in commands.items():
            one, buffers[what] = meter.run(command, env)
            took[what].append(one)
    sheet.peer(_PEER, took[_PEER], f"{buffers[_PEER]:,} buffers")
    for what in commands:
        if what != _PEER:
            note = f"{buffers[what]:,} buffers"
            sheet.add(what, took[what], _PEER, took[_PEER], note=note)


if __name__ == "__main__":
    main()
