"""The public surface, pinned: a name that comes or goes is a decision, and shows here."""

from __future__ import annotations

import re
from pathlib import Path

import typer

import forensics as fx
import forensics.cli
from forensics.cli.voice import app

forensics.cli.register()
COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
ROOT = Path(__file__).parent.parent


def test_the_library() -> None:
    assert set(fx.__all__) == {
        "Backup",
        "Case",
        "ForensicsError",
        "Listener",
        "Options",
        "Proof",
        "compare",
        "notebook_case",
        "open_backup",
        "open_case",
        "prove",
    }


def test_a_case() -> None:
    public = {n for n in dir(fx.Case) if not n.startswith("_")}
    promised = {
        "evidence",
        "tables",
        "table",
        "columns",
        "junctions",
        "junction",
        "window",
        "cause",
        "recovery",
        "report",
        "complete",
        "totals",
        "verdict",
        "findings",
        "summary",
        "close",
        "loss",
        "figure",
        "browse",
        "result",
        "results",
    }
    assert promised <= public


def test_the_command_line() -> None:
    assert set(COMMANDS) == {
        "inspect",
        "compare",
        "loss",
        "cause",
        "preflight",
        "lint",
        "recover",
        "report",
        "query",
        "export",
        "convert",
        "prove",
        "verify",
        "config",
        "notebooks",
        "demo",
    }


def test_what_the_readme_names_is_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|^)make (\w+)\b", text, re.M):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M), target
    named = re.findall(r"(?:^ *|`|/|run: )forensics ([a-z]+)", text, re.M)
    assert set(named) >= set(COMMANDS) - {"demo"}
    assert set(named) <= set(COMMANDS)
    for path in re.findall(r"\]\(([\w./-]+)\)", text):
        assert (ROOT / path).exists(), path
