"""What a configuration file sets is in force, and what it cannot set is said in a sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from forensics.scratch import Scratch
from sample_data import build

ROOT = Path(__file__).parent.parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository of somebody's, and a folder in it."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "app").mkdir()
    return tmp_path / "app"


def forensics(folder: Path, *words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    command = [sys.executable, "-m", "forensics", *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def settings(folder: Path, **more: str) -> dict[tuple[str, str], object]:
    """What `config` says is set, by command and flag."""
    done = forensics(folder, "config", "--json", **more)
    assert done.returncode == 0, done.stderr
    found = {}
    for setting in json.loads(done.stdout)["settings"]:
        found[setting["command"], setting["flag"]] = setting["value"]
    return found


def test_a_flag_holds_for_every_command_that_has_it_or_for_one(folder: Path) -> None:
    (folder.parent / "forensics.toml").write_text(
        'memory = "300MB"\nexclude_schema = "auth"\n[compare]\njobs = 2\n[report]\nmask = ["a.b"]\n'
    )
    found = settings(folder)
    assert found["compare", "memory"] == "300MB"
    assert found["query", "memory"] == "300MB"
    assert found["compare", "exclude-schema"] == ["auth"]
    assert found["compare", "jobs"] == 2
    assert found["report", "mask"] == ["a.b"]
    assert ("inspect", "max-row") not in found


def test_the_nearest_file_counts(folder: Path) -> None:
    (folder.parent / "forensics.toml").write_text("jobs = 3\n")
    (folder / "pyproject.toml").write_text("[tool.other]\n")
    assert settings(folder)["compare", "jobs"] == 3
    (folder / "pyproject.toml").write_text("[tool.forensics]\njobs = 4\n")
    assert settings(folder)["compare", "jobs"] == 4
    assert settings(folder, FORENSICS_CONFIG="") == {}
    named = settings(folder, FORENSICS_CONFIG=str(folder.parent / "forensics.toml"))
    assert named["compare", "jobs"] == 3


def test_no_file_above_the_repository_counts(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder.parent / "forensics.toml").write_text("jobs = 3\n")
    assert settings(folder) == {}
    assert "no [tool.forensics] here" in forensics(folder, "config").stdout


def test_the_environment_goes_before_the_file(folder: Path) -> None:
    (folder / "forensics.toml").write_text('live = "service=prod"\n')
    assert settings(folder)["preflight", "live"] == "service=prod"
    assert ("query", "live") not in settings(folder)
    there = settings(folder, LIVE_DSN="postgresql://u:secret@h/d")
    assert there["compare", "live"] == "postgresql://u:***@h/d"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("jobs = [", "is not TOML"),
        ("exclud-schema = 'a'", "Did you mean exclude-schema"),
        ("[compare]\nmasks = 'a.b'", "sets masks, and there is no such flag"),
        ("force = true", "said anew in each run"),
        ("allow-files = true", "said anew in each run"),
        ("live = 'postgresql://u:secret@h/d'", "holds a password"),
        ("memory = ['1GB', '2GB']", "gives memory what it does not take"),
        ("jobs = 'many'", "forensics config"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(folder: Path, text: str, said: str) -> None:
    (folder / "forensics.toml").write_text(text)
    done = forensics(folder, "compare", "no.dump", "service=x", "--json")
    assert done.returncode == 2
    assert said in done.stderr.replace("\n", " ")
    assert "secret" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert said in " ".join(str(v) for v in json.loads(done.stdout)["error"].values())


def test_a_comparison_obeys_it(folder: Path, scratch: Scratch, sample_case: Path) -> None:
    dsn = scratch.dsn("sample_case")  # `sample_case` made it
    (folder / "forensics.toml").write_text('table = ["hotel*"]\nexclude-table = ["*_images"]\n')
    done = forensics(folder, "compare", build.BACKUP, dsn, "--json")
    names = {table["table"] for table in json.loads(done.stdout)["tables"]}
    assert "hotels" in names
    assert "hotel_images" not in names
    every = forensics(
        folder, "compare", build.BACKUP, dsn, "--force", "--json", FORENSICS_CONFIG=""
    )
    assert "hotel_images" in {table["table"] for table in json.loads(every.stdout)["tables"]}


def test_the_example_of_the_page_is_taken(folder: Path) -> None:
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]
    (folder / "forensics.toml").write_text(example)
    found = settings(folder)
    assert found["compare", "exclude-schema"] == ["auth", "storage", "vault"]
    assert found["report", "show"] == ["hotels.name"]
