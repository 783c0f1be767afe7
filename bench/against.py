"""Today's kit beside that of another revision, in turns on the same machine.

    python -m bench.against REV [--tables 1000] [--runs 3]

REV is checked out into `build/against/` and run by the Python that runs this; where it needs other
libraries, name one that has them with --python.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bench import sample, small
from bench.sheet import BUILD, Sheet, Spent, parser, spent

_REACH = 0.35  # the sample incident, of what it took with 5b5a447

Turn = Mapping[str, Spent]


def main() -> None:
    """Check the revision out, measure in turns, print a table of ratios."""
    asked = parser(__doc__)
    asked.add_argument("revision")
    asked.add_argument("--python", default=sys.executable, help="what runs the other revision")
    asked.add_argument("--tables", type=int, default=1000, help="0 leaves small tables out")
    asked.add_argument("--no-sample", action="store_true", help="leave the sample incident out")
    asked.add_argument("--runs", type=int, default=3)
    options = asked.parse_args()
    root = _checked_out(options.revision)
    sides = {"today": (sample.ROOT, sys.executable), "then": (root, options.python)}
    sheet = Sheet(f"against {options.revision}", f"today's kit beside {options.revision}")
    if not options.no_sample:
        turns = _sample(options.runs, sides)
        for stage in (*sample.STAGES, sample.WHOLE):
            reach = _REACH if stage == sample.WHOLE else None
            _add(sheet, f"sample: {stage}", stage, turns, reach)
    if options.tables:
        tables = _tables(options.tables, options.runs, sides)
        for form in small.FORMS:
            _add(sheet, f"{options.tables:,} tables, {form}", form, tables)
    sheet.close()


def _checked_out(revision: str) -> Path:
    """The folder of a worktree of a revision; made where it is not there."""
    git = ["git", "-C", str(sample.ROOT)]
    asked = [*git, "rev-parse", "--short=12", f"{revision}^{{commit}}"]
    found = subprocess.run(asked, check=True, capture_output=True, text=True)
    folder = BUILD / "against" / found.stdout.strip()
    if not folder.exists():
        subprocess.run([*git, "worktree", "prune"], check=True)
        made = [*git, "worktree", "add", "--quiet", "--detach", str(folder), revision]
        subprocess.run(made, check=True)
    return folder


def _sample(runs: int, sides: Mapping[str, tuple[Path, str]]) -> dict[str, list[Turn]]:
    """Take the sample incident through every stage with either kit, in turns."""
    turns: dict[str, list[Turn]] = {side: [] for side in sides}
    with sample.incident() as dsn:
        for _ in range(runs):
            for side, (folder, program) in sides.items():
                turns[side].append(sample.stages(dsn, _env(), folder, program))
    return turns


def _tables(number: int, runs: int, sides: Mapping[str, tuple[Path, str]]) -> dict[str, list[Turn]]:
    """Compare many small tables with either kit, in turns."""
    turns: dict[str, list[Turn]] = {side: [] for side in sides}
    with small.world(number, small.ROWS) as (server, dumps):
        dsn = server.dsn("bench")
        for turn in range(runs):
            for side, (folder, program) in sides.items():
                found = {}
                for form, dump in dumps.items():
                    case = dump.parent / f"{side}{turn}{form}"
                    command = [program, *small.kit(dump, dsn, case)[1:]]
                    found[form] = spent(command, _env(), folder=folder)
                turns[side].append(found)
    return turns


def _add(
    sheet: Sheet,
    work: str,
    part: str,
    turns: Mapping[str, list[Turn]],
    reach: float | None = None,
) -> None:
    ours = [turn[part] for turn in turns["today"]]
    theirs = [turn[part] for turn in turns["then"]]
    sheet.peer(f"{work}, then", theirs)
    sheet.add(f"{work}, today", ours, "then", theirs, reach=reach)


def _env() -> dict[str, str]:
    """Without what would have one kit found in the other's place."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


if __name__ == "__main__":
    main()
