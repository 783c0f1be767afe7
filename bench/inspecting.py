"""`inspect` of a plain dump beside `sha256sum` of the same file.

    python -m bench.inspecting --rows 5000000

It hashes the file too, so it can hardly take less; it finds every statement and every row's end
besides.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench.compare import BEFORE
from bench.sheet import Sheet, Spent, parser, spent
from forensics.scratch import Scratch

_REACH = 1.3


def main() -> None:
    """Write a dump, measure in turns, print a table."""
    asked = parser(__doc__)
    asked.add_argument("--rows", type=int, default=5_000_000)
    asked.add_argument("--runs", type=int, default=3)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="forensics-bench-") as folder:
        with Scratch(settings={"max_wal_size": "4GB"}) as server:
            server.create("bench")
            server.run("bench", BEFORE.format(rows=options.rows))
            dump = server.dump("bench", Path(folder) / "backup.sql")
        sheet = Sheet("inspect", f"inspect of a plain dump of {dump.stat().st_size:,} bytes")
        inspect: list[str | Path] = [sys.executable, "-m", "forensics", "inspect", dump, "--json"]
        peer, ours = list[Spent](), list[Spent]()
        for _ in range(options.runs):
            peer.append(spent(["sha256sum", dump]))
            ours.append(spent(inspect))
    sheet.peer("sha256sum", peer)
    sheet.add("inspect", ours, "sha256sum", peer, reach=_REACH)
    sheet.close()


if __name__ == "__main__":
    main()
