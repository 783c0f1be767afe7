"""`--wire low` beside `--wire full`, over a link of 50 Mbit/s and 40 ms.

    python -m bench.wire --rows 5000000

The rows are those of `bench.compare`. Bytes are what goes through the link, both ways, in shares of
the table's COPY text: what a comparison asks besides (catalogue, statistics, what follows it) is
what one of an empty database takes, and is left out. Those are exact; times are of whole processes,
and what the server has to work for fingerprints is in them.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.compare import BEFORE, programs
from bench.sheet import Sheet, Spent, parser, spent
from bench.throttle import Wire, throttled
from forensics.scratch import Scratch

_RATE, _DELAY = 50e6 / 8, 0.040
_FASTER = 5
# What is done to a hundredth of the rows, and the share of the table's bytes that may then be read.
_PLACES = "(SELECT id, row_number() OVER (ORDER BY id) AS n FROM hotel_images) p"
CHANGES = {
    "intact": ("", 0.0005),
    "1 % in one place": (
        f"WITH chosen AS (SELECT p.id, p.n FROM {_PLACES} WHERE p.n BETWEEN {{rows}} / 2"
        " AND {rows} / 2 + {rows} / 100), gone AS (DELETE FROM hotel_images USING chosen"
        " WHERE hotel_images.id = chosen.id AND chosen.n % 2 = 0) UPDATE hotel_images"
        " SET sort_order = sort_order + 100 FROM chosen"
        " WHERE hotel_images.id = chosen.id AND chosen.n % 2 = 1",
        0.02,
    ),
    "1 % everywhere": (
        "DELETE FROM hotel_images WHERE hashtext(id) % 200 = 0; UPDATE hotel_images"
        " SET sort_order = sort_order + 100 WHERE hashtext(id) % 200 = 1",
        0.15,
    ),
}


def main() -> None:
    """Build, measure, print a table."""
    asked = parser(__doc__)
    asked.add_argument("--rows", type=int, default=5_000_000)
    options = asked.parse_args()
    rows = options.rows
    sheet = Sheet("wire", f"{rows:,} rows over 50 Mbit/s and 40 ms; notes: bytes of its COPY text")
    settings = {"shared_buffers": "256MB", "max_wal_size": "4GB"}
    with (
        Scratch(programs(), settings=settings) as server,
        tempfile.TemporaryDirectory(prefix="forensics-bench-") as name,
    ):
        print(f"building {rows:,} rows", file=sys.stderr)
        server.create("before")
        server.run("before", BEFORE.format(rows=rows) + "VACUUM ANALYZE hotel_images;")
        backup = server.dump("before", Path(name) / "backup.sql")
        with throttled(_socket(server), _RATE, _DELAY) as wire:
            beside = _beside(server, wire, Path(name))
            for what, (change, most) in CHANGES.items():
                server.create("bench", "before")
                server.run("bench", change.format(rows=rows) + "; VACUUM ANALYZE hotel_images;")
                _measure(sheet, server, wire, backup, what, most, beside)
                server.drop("bench")
    sheet.close()


def _socket(server: Scratch) -> Path:
    [found] = [path for path in server.folder.glob(".s.PGSQL.*") if path.suffix != ".lock"]
    return found


def _dsn(wire: Wire, database: str) -> str:
    return f"host=127.0.0.1 port={wire.port} user=postgres dbname={database} sslmode=disable"


def _beside(server: Scratch, wire: Wire, folder: Path) -> int:
    """The bytes that a comparison of such a table takes that is empty on both sides."""
    server.create("empty")
    server.run("empty", BEFORE.format(rows=0))
    backup = server.dump("empty", folder / "empty.sql")
    return _compared(wire, "empty", backup, "low")[1]


def _compared(
    wire: Wire, database: str, backup: Path, way: str
) -> tuple[Spent, int, dict[str, Any]]:
    """Compare; return what it took, how many bytes went through, and the table's result."""
    case = backup.parent / "case"
    before = wire.bytes
    command: list[str | Path] = [sys.executable, "-m", "forensics", "compare", backup]
    command += [_dsn(wire, database), "--case", case, "--wire", way, "--quiet", "--json"]
    took = spent(command)
    [table] = json.loads(took.output)["tables"]
    shutil.rmtree(case)
    return took, wire.bytes - before, table


def _measure(
    sheet: Sheet,
    server: Scratch,
    wire: Wire,
    backup: Path,
    what: str,
    most: float,
    beside: int,
) -> None:
    size = int(
        server.run(
            "bench",
            "SELECT sum(octet_length(concat_ws(' ', id, hotel_id, asset_id, sort_order, is_primary,"
            " created_at)) + 1) FROM hotel_images",
        )
    )
    full, through, table = _compared(wire, "bench", backup, "full")
    low, few, again = _compared(wire, "bench", backup, "low")
    if again.pop("wire", None) != "low" or again != table:
        raise RuntimeError(f"{what}: the two ways do not agree: {table}, {again}")
    sheet.peer(f"{what}: full", [full], f"{(through - beside) / size:.2%}")
    share = (few - beside) / size
    reach = None
    if what == "1 % in one place":
        reach = 1 / _FASTER
    note = f"{share:.3%} (at most {most:.2%}){'' if share <= most else ': MISSED'}"
    sheet.add(f"{what}: low", [low], f"{what}: full", [full], reach=reach, note=note)


if __name__ == "__main__":
    main()
