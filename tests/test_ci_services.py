"""What CI services run: the action's steps, the hook and the image's commands, without them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from forensics.scratch import Scratch

ROOT = Path(__file__).parent.parent
BEFORE = """CREATE TABLE hotel_images (hotel_id int, image_id int);
INSERT INTO hotel_images SELECT i, i FROM generate_series(1, 12431) i;"""
_EXPRESSION = re.compile(r"\$\{\{ *([\w.]+) *\}\}")
# A stand-in for GitHub's own program: it notes what it is asked, and answers with what is there.
_GH = """#!/bin/sh
echo "$@" >> "$FAKE/asked"
case "$*" in *--paginate*) cat "$FAKE/comments" 2> /dev/null;; esac
exit 0
"""


class Runner:
    """Runs the action's steps as a runner would, in a folder."""

    def __init__(self, folder: Path, known: dict[str, str]) -> None:
        self.folder, self.known = folder, known
        (folder / "bin").mkdir()
        for name, text in (
            ("gh", _GH),
            ("forensics", f'#!/bin/sh\nexec {sys.executable} -m forensics "$@"\n'),
        ):
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)
        self.output = folder / "output"
        self.output.touch()

    def run(self, step: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "FAKE": str(self.folder),
            "RUNNER_TEMP": str(self.folder),
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
        }
        for name, value in step.get("env", {}).items():
            environment[name] = _EXPRESSION.sub(lambda found: self.known[found[1]], str(value))
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        for line in self.output.read_text().splitlines():
            name, _, value = line.partition("=")
            self.known[f"steps.{step['id']}.outputs.{name}"] = value
        return done


@pytest.fixture
def steps() -> dict[str, dict[str, Any]]:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return {step["id"]: step for step in action["runs"]["steps"] if "id" in step}


@pytest.fixture
def runner(database: Callable[..., str], scratch: Scratch, tmp_path: Path) -> Runner:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "1.sql").write_text("DROP TABLE hotel_images;\n")
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    known = {}
    for name, said in action["inputs"].items():
        known[f"inputs.{name}"] = str(said.get("default", ""))
    event = {
        "inputs.migrations": "migrations/1.sql",
        "inputs.live": scratch.dsn(database(BEFORE)),
        "inputs.token": "none",
        "github.repository": "ann/travel",
        "github.event.pull_request.number": "7",
    }
    return Runner(tmp_path, {**known, **event})


def test_the_action_annotates_and_comments(
    runner: Runner, steps: dict[str, dict[str, Any]]
) -> None:
    done = runner.run(steps["preflight"])
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("::error file=migrations/1.sql,line=1,title=drop-table::")
    assert "12,431 rows" in done.stdout
    assert "12,431 rows" in (runner.folder / "summary.md").read_text()
    assert runner.run(steps["comment"]).returncode == 0
    asked = (runner.folder / "asked").read_text().splitlines()
    assert "--method POST repos/ann/travel/issues/7/comments" in asked[-1]
    assert runner.run(steps["verdict"]).returncode == 1


def test_the_comment_is_updated(runner: Runner, steps: dict[str, dict[str, Any]]) -> None:
    runner.run(steps["preflight"])
    (runner.folder / "comments").write_text("4711\n4712\n")
    assert runner.run(steps["comment"]).returncode == 0
    asked = (runner.folder / "asked").read_text().splitlines()
    assert "--method PATCH repos/ann/travel/issues/comments/4711" in asked[-1]


def test_without_live_it_lints(runner: Runner, steps: dict[str, dict[str, Any]]) -> None:
    runner.known["inputs.live"] = ""
    done = runner.run(steps["preflight"])
    assert done.stdout.startswith("::warning file=migrations/1.sql,line=1,title=drop-table::")
    assert runner.run(steps["comment"]).returncode == 0
    assert not (runner.folder / "asked").exists()
    assert runner.run(steps["verdict"]).returncode == 1


def test_a_baseline_makes_it_pass(runner: Runner, steps: dict[str, dict[str, Any]]) -> None:
    command = [sys.executable, "-m", "forensics", "preflight", "migrations/1.sql", "--json"]
    said = subprocess.run(
        [*command, runner.known["inputs.live"]],
        cwd=runner.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    (runner.folder / "baseline.json").write_text(said.stdout)
    runner.known["inputs.baseline"] = "baseline.json"
    runner.run(steps["preflight"])
    assert runner.run(steps["verdict"]).returncode == 0


def test_the_hook_is_a_command_that_there_is(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    wanted = re.compile(hook["files"])
    assert wanted.search("prisma/migrations/20260102103755_add/migration.sql")
    assert wanted.search("db/migration/V2__two.sql")
    assert not wanted.search("docs/migrations.md")
    (tmp_path / "1.sql").write_text("TRUNCATE hotels;\n")
    words = hook["entry"].split()
    assert words[0] == "forensics"
    done = subprocess.run(
        [sys.executable, "-m", *words, str(tmp_path / "1.sql")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "1.sql:1: truncate" in done.stdout


def test_what_the_page_says_is_yaml_and_names_inputs_that_there_are() -> None:
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.S)
    assert len(blocks) == 3
    workflow = yaml.safe_load(blocks[0])
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    used = workflow["jobs"]["preflight"]["steps"][1]["with"]
    assert set(used) <= set(action["inputs"])


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_the_image_copies_what_its_commands_need() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert 'pip install --no-cache-dir "/kit${EXTRA}"' in text
    for name in ("forensics", "notebooks", "sample_data", "pyproject.toml", "README.md"):
        assert name not in ignored
    entry = re.search(r"^ENTRYPOINT (.*)$", text, re.M)
    assert entry
    assert json.loads(entry[1]) == ["forensics"]
    assert "USER forensics" in text
