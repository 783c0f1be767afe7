"""What needs no database, what is no news, and what a pull request is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from forensics.cli import register
from forensics.cli.voice import app
from forensics.scratch import Scratch

register("lint")
register("preflight")

BEFORE = """
CREATE TABLE hotels (id int PRIMARY KEY, name text, "we|rd" text);
INSERT INTO hotels SELECT i, 'n', 'w' FROM generate_series(1, 12431) i;
"""


def run(*words: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.stdout


@pytest.mark.parametrize(
    ("sql", "status", "codes"),
    [
        ("CREATE TABLE a (id int); DROP TABLE a;", 0, []),
        ("DROP TABLE hotels;", 1, ["drop-table"]),
        ("ALTER TABLE hotels DROP COLUMN name;", 1, ["drop-column"]),
        ("DELETE FROM hotels WHERE id = 1;", 1, ["delete-where"]),
        ("ALTER TABLE hotels ALTER name SET NOT NULL;", 0, ["set-not-null"]),
        ("DO $$ BEGIN EXECUTE 'DROP TABLE ' || current_user; END $$;", 2, ["dynamic-sql"]),
        ("-- forensics: allow drop-table\nDROP TABLE hotels;", 0, []),
        ("-- forensics: allow drop-table, truncate\n-- it is empty\nDROP TABLE hotels;", 0, []),
        ("DROP TABLE hotels; -- forensics: allow drop-table", 0, []),
        ("-- forensics: allow truncate\nDROP TABLE hotels;", 1, ["drop-table"]),
        ("-- forensics: allow drop-table\n\nDROP TABLE hotels;", 1, ["drop-table"]),
    ],
)
def test_lint(tmp_path: Path, sql: str, status: int, codes: list[str]) -> None:
    path = tmp_path / "1.sql"
    path.write_text(sql)
    ended, said = run("lint", path, "--json")
    assert ended == status
    found = [hazard["hazard"] for hazard in json.loads(said)["hazards"]]
    assert found[: len(codes)] == codes
    assert all(hazard["rows"] is None for hazard in json.loads(said)["hazards"])


def test_lint_takes_several_files_and_says_where(tmp_path: Path) -> None:
    one, two = tmp_path / "1.sql", tmp_path / "2.sql"
    one.write_text("SELECT 1;\n")
    two.write_text("SELECT 1;\nTRUNCATE hotels;\n")
    status, said = run("lint", one, two)
    assert status == 1
    assert f"{two}:2: truncate" in said
    assert run("lint", two, "--format", "github")[1].startswith("::warning file=")
    assert run("lint", tmp_path / "none.sql")[0] == 2


@pytest.fixture
def live(scratch: Scratch, database: Callable[..., str]) -> str:
    return scratch.dsn(database(BEFORE))


def test_a_comment_for_a_pull_request(live: str, tmp_path: Path) -> None:
    path, written = tmp_path / "1.sql", tmp_path / "comment.md"
    path.write_text('ALTER TABLE hotels DROP COLUMN "we|rd";\nCREATE INDEX ON hotels (name);\n')
    status, _ = run("preflight", path, live, "--comment", written)
    said = written.read_text()
    assert status == 1
    assert said.startswith("<!-- forensics preflight -->\n")
    assert "12,431 rows and values would be destroyed" in said
    assert f"`{path}:1` | `drop-column`" in said
    row = next(line for line in said.splitlines() if "`drop-column`" in line)
    assert row.replace("\\|", "").count("|") == 4, "a name is no cell's end"


def test_what_a_baseline_holds_is_no_news(live: str, tmp_path: Path) -> None:
    path, baseline = tmp_path / "1.sql", tmp_path / "before.json"
    path.write_text("ALTER TABLE hotels DROP COLUMN name;\n")
    _, said = run("preflight", path, live, "--json")
    baseline.write_text(said)
    status, said = run("preflight", path, live, "--json", "--baseline", baseline)
    assert status == 0
    assert json.loads(said)["hazards"] == []
    assert "stood in" in json.loads(said)["notes"][-1]
    path.write_text("ALTER TABLE hotels DROP COLUMN name;\nTRUNCATE hotels;\n")
    status, said = run("preflight", path, live, "--json", "--baseline", baseline)
    assert status == 1
    assert next(hazard["hazard"] for hazard in json.loads(said)["hazards"]) == "truncate"


def test_what_became_worse_is_news(live: str, tmp_path: Path) -> None:
    path, baseline = tmp_path / "1.sql", tmp_path / "before.json"
    path.write_text("ALTER TABLE hotels DROP COLUMN name;\n")
    answer = json.loads(run("preflight", path, live, "--json")[1])
    for hazard in answer["hazards"]:
        hazard["rows"] = 0  # the table was empty then
    baseline.write_text(json.dumps(answer))
    assert run("preflight", path, live, "--baseline", baseline)[0] == 1


@pytest.mark.parametrize("text", ["", "[]", '{"hazards": [{}]}', "{"])
def test_a_baseline_that_is_none(live: str, tmp_path: Path, text: str) -> None:
    (tmp_path / "1.sql").write_text("SELECT 1;")
    (tmp_path / "b.json").write_text(text)
    status, said = run(
        "preflight", tmp_path / "1.sql", live, "--json", "--baseline", tmp_path / "b.json"
    )
    assert status == 2
    assert "is not the JSON of a preflight" in json.loads(said)["error"]["message"]
