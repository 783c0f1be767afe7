"""All benchmarks, one after the other: `make bench`.

    python -m bench [--rows 5000000] [--tables 1000]

What each found is in `build/bench.json`. One that fails is said at the end, and the others go on.
"""

from __future__ import annotations

import subprocess
import sys

from bench.sheet import parser


def main() -> None:
    """Run every benchmark in a process of its own; exit 1 where one failed."""
    asked = parser(__doc__)
    asked.add_argument("--rows", type=int, default=5_000_000)
    asked.add_argument("--tables", type=int, default=1000)
    options = asked.parse_args()
    rows, tables = str(options.rows), str(options.tables)
    fewer = str(max(options.rows // 5, 1))
    failed = []
    for name, *arguments in (
        ("small", "--tables", tables),
        ("compare", "--rows", rows),
        ("inspecting", "--rows", rows),
        ("query", "--rows", rows),
        ("gentle", "--rows", fewer),
        ("wire", "--rows", rows),
        ("spark", "--rows", rows),
        ("sample",),
        ("notebooks",),
        ("archive", "--rows", fewer),
        ("loss", "--links", fewer),
        ("recover", "--rows", fewer),
    ):
        ended = subprocess.run([sys.executable, "-m", f"bench.{name}", *arguments])
        if ended.returncode:
            failed.append(name)
    if failed:
        sys.exit(f"failed, or did not reach what they aim at: {', '.join(failed)}")


if __name__ == "__main__":
    main()
