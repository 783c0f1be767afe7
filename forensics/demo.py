"""The demonstration: the main job on the sample incident, from its backup to the report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from forensics.case.facade import Case
from forensics.notebooks import execute_notebooks
from forensics.sample import SHIPPED, Say, investigate, timed


@dataclass(frozen=True)
class Written:
    """What a demonstration wrote.

    Attributes:
        case: the case's folder.
        report: the report, one HTML file.
        notebooks: the executed notebooks as HTML.
        seconds: by step, how long it took.
        expected: whether the totals are those of `sample_data/expected.json`.
    """

    case: Path
    report: Path
    notebooks: tuple[Path, ...]
    seconds: dict[str, float]
    expected: bool


def run(out: Path, say: Say) -> Written:
    """Do the main job on the sample incident and write everything into a folder.

    Raises:
        ForensicsError: a step failed.
    """
    seconds: dict[str, float] = {}
    out.mkdir(parents=True, exist_ok=True)
    with investigate(out / "case", say, seconds) as case:
        expected = _is_expected(case)
        say("writing the report")
        with timed(seconds, "report"):
            report = case.report(out / "report.html")
    say("running the notebooks")
    with timed(seconds, "notebooks"):
        notebooks = execute_notebooks(out / "notebooks", out / "case", say)
    return Written(out / "case", report, notebooks, seconds, expected)


def _is_expected(case: Case) -> bool:
    """Whether the totals of a case of the sample are those that were worked out without the kit."""
    text = (SHIPPED / "sample_data" / "expected.json").read_text(encoding="utf-8")
    wanted = json.loads(text)["totals"]
    found = case.totals
    return all(found[name] == number for name, number in wanted.items())
