"""The pages: what they show runs, where it needs nothing from outside; all of them are listed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import forensics as fx
from forensics.scratch import Scratch
from sample_data import build

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs").glob("*.md"))
_BLOCK = re.compile(r"^```(\w+)( outside)?\n(.*?)^```", re.M | re.S)
# What may end otherwise than with 0: what was found is the answer.
_CELL = re.compile(r"`(forensics [^`]*sample_data/[^`]*)`")
_ANSWERS = {"compare": (1,), "preflight": (0, 1), "loss": (1,), "cause": (1,)}


def commands() -> Iterator[tuple[str, str]]:
    """Every command of a page that is to be run, in blocks and in tables."""
    for page in PAGES:
        for command in _CELL.findall(page.read_text(encoding="utf-8")):
            yield page.name, command.replace("\\|", "|")
        for language, outside, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
            if language == "sh" and not outside:
                for line in text.replace("\\\n", " ").splitlines():
                    command = re.sub(r"\s+# .*", "", line).strip()
                    if command:
                        yield page.name, command


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a reader has it: the clone's, to be written into."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "sample_data").symlink_to(ROOT / "sample_data")
    (folder / "bin").mkdir()
    (folder / "bin" / "forensics").write_text(
        f'#!/bin/sh\nexec {sys.executable} -m forensics "$@"\n'
    )
    (folder / "bin" / "forensics").chmod(0o755)
    return folder


@pytest.mark.parametrize(("page", "command"), list(commands()))
def test_it_runs(page: str, command: str, place: Path, scratch: Scratch, sample_case: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "LIVE_DSN": scratch.dsn("sample_case"),  # `sample_case` made it
    }
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    word = command.split()[1]
    assert done.returncode in _ANSWERS.get(word, (0,)), (page, command, done.stderr)


def blocks() -> Iterator[tuple[str, str]]:
    """Every block of Python of a page that is to be run."""
    for page in (ROOT / "README.md", *PAGES):
        for language, outside, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
            if language == "python" and "import forensics" in text and not outside:
                yield page.name, text


@pytest.mark.parametrize(("page", "block"), list(blocks()))
def test_python_runs(
    page: str,
    block: str,
    tmp_path: Path,
    scratch: Scratch,
    sample_case: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    live = scratch.dsn("sample_case")  # `sample_case` made it
    block = block.replace("postgresql://reader@db/app", live)
    block = re.sub(r'"(x|backup)\.dump"', repr(str(build.BACKUP)), block)
    exec(block, {})  # noqa: S102  -- our own page


def test_the_grants_are_enough(scratch: Scratch, sample_case: Path, tmp_path: Path) -> None:
    """As docs/privileges.md has them; the long way too."""
    page = (ROOT / "docs" / "privileges.md").read_text(encoding="utf-8")
    short, long = (text for language, _, text in _BLOCK.findall(page) if language == "sql")
    scratch.create("app", "sample_case")
    live = scratch.dsn("app").replace("postgres@", "forensics@")
    try:
        scratch.run("app", short)
        with fx.compare(build.BACKUP, live, tmp_path / "short") as case:
            assert case.complete
        scratch.run("app", "REVOKE pg_read_all_data FROM forensics;" + long)
        with fx.compare(build.BACKUP, live, tmp_path / "long") as case:
            assert case.complete
            assert not [one for one in case.findings["text"] if "permission denied" in one]
    finally:
        scratch.run("app", "DROP OWNED BY forensics; DROP ROLE forensics;")
        scratch.drop("app")


def test_every_page_is_listed() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    for page in PAGES:
        assert page.name == "README.md" or f"]({page.name})" in index, page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
