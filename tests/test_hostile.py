"""An incident whose every name and value is out to be obeyed, through every output."""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

import forensics as fx
from forensics import cli
from forensics.cli.voice import app
from forensics.model import TableName
from forensics.recovery.write.sqltext import in_a_line
from forensics.scratch import Scratch
from forensics.text import document, visible

cli.register()

# What would steer a terminal, a page, a log, or the eye. A line feed is looked for
# where it would begin a line.
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
MARK = "pwned"
LINKS = f'a"; DROP TABLE x; --\n::error::{MARK}\n\\! touch {MARK}'
HOTELS = f"<script>{MARK}()</script>"
IMAGES = f"\x1b]0;{MARK}\x07\x9b31m\u202e=cmd|'{MARK}'!A0"
DROPPED = "é" * 31 + "\u200b"[:0]  # 62 bytes
GONE = f"`$(touch {MARK})`\nSQL\ntouch {MARK}"
COLUMN = f"[x](javascript:{MARK}) | {{{{7*7}}}}\u2066"
VALUES = [
    f"<img src=x onerror={MARK}()>",
    f'=HYPERLINK("http://{MARK}")',
    f"\x1b]8;;http://{MARK}\x07link\x1b]8;;\x07",
    f"\x9b2J\u202e{MARK}\u200b",
    f"line\n::error::{MARK}",
    f"[red]{MARK}[/red] [link=http://{MARK}]x[/link]",
    f"$\\href{{javascript:{MARK}}}{{x}}$",
    f"\\.\n\\! touch {MARK}",
    f"'); DROP TABLE x; --{MARK}",
]


def q(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


SCHEMA = f"""
CREATE TABLE {q(HOTELS)} (id serial PRIMARY KEY, name text, {q(COLUMN)} text);
CREATE TABLE {q(IMAGES)} (id int PRIMARY KEY, name text);
CREATE TABLE {q(LINKS)} (hotel int REFERENCES {q(HOTELS)} ON DELETE CASCADE, image int
  REFERENCES {q(IMAGES)} ON DELETE CASCADE, {q(GONE)} text, PRIMARY KEY (hotel, image));
CREATE TABLE {q(DROPPED)} (id int PRIMARY KEY, {q(GONE)} text);
CREATE TABLE {q(GONE)} (id int PRIMARY KEY, v text);
CREATE TABLE _prisma_migrations (id varchar(36)
  PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
  migration_name varchar(255) NOT NULL,
  logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
  applied_steps_count int NOT NULL DEFAULT 0);
INSERT INTO {q(HOTELS)} (name, {q(COLUMN)})
  VALUES {", ".join(f"({literal(v)}, {literal(v)})" for v in VALUES)};
INSERT INTO {q(IMAGES)} SELECT g, {literal(VALUES[3])} FROM generate_series(1, 5) g;
INSERT INTO {q(LINKS)} SELECT h.id, i.id, h.name FROM {q(HOTELS)} h, {q(IMAGES)} i;
INSERT INTO {q(DROPPED)} SELECT id, name FROM {q(HOTELS)};
INSERT INTO {q(GONE)} SELECT id, name FROM {q(HOTELS)};
"""
MIGRATION = (
    f"DELETE FROM {q(LINKS)} WHERE hotel < 7;\nDROP TABLE {q(DROPPED)};\nDELETE "
    f"FROM {q(GONE)};\nALTER TABLE {q(HOTELS)} DROP COLUMN {q(COLUMN)};\n"
)
NAME = f"::warning::{MARK}[x](http://{MARK})"


class Investigated:
    """The case, the folder of all that was written, and what the commands said."""

    def __init__(self, folder: Path, scratch: Scratch) -> None:
        self.folder, self.case = folder, folder / "case"
        self.said: dict[str, str] = {}
        scratch.create("hostile")
        scratch.run("hostile", SCHEMA)
        backup = scratch.dump("hostile", folder / "backup.sql")
        self.migrations = folder / "migrations"
        (self.migrations / NAME.replace("/", "_")).mkdir(parents=True)
        (self.migrations / NAME.replace("/", "_") / "migration.sql").write_text(MIGRATION)
        dsn = scratch.dsn("hostile")
        for form in ("people", "github", "sarif", "json"):
            self.run(f"preflight {form}", "preflight", self.migrations, dsn, "--format", form)
        scratch.run(
            "hostile",
            MIGRATION
            + (
                f"INSERT INTO _prisma_migrations VALUES ('1', 'x', now(), "
                f"{literal(NAME.replace('/', '_'))}, {literal(VALUES[2])}, NULL, now(), 1)"
            ),
        )
        self.run("inspect", "inspect", backup)
        self.run("compare", "compare", backup, dsn, "--case", self.case)
        for command in (
            ["loss"],
            ["cause", "--migrations", self.migrations],
            [
                "recover",
                "--out",
                folder / "out",
                "--rehearse",
                "--columns",
                "--include-unexplained",
                "--live",
                dsn,
            ],
        ):
            self.run(command[0], command[0], self.case, *command[1:])
        self.run("cause json", "cause", self.case, "--json")
        for suffix in (".html", ".md", ".json", ".xlsx", ".zip"):
            self.run(
                f"report {suffix}",
                "report",
                self.case,
                "--out",
                folder / f"report{suffix}",
                "--unmasked",
            )

    def run(self, name: str, *command: object) -> None:
        done = CliRunner().invoke(app, [str(c) for c in command])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        assert done.exit_code in (0, 1), (name, done.output)
        self.said[name] = done.stdout
        self.said[f"{name}, stderr"] = done.stderr


@pytest.fixture(scope="module")
def investigated(
    scratch: Scratch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Investigated]:
    yield Investigated(tmp_path_factory.mktemp("hostile"), scratch)
    scratch.drop("hostile")


def test_a_terminal_and_a_log_obey_nothing(investigated: Investigated) -> None:
    for name, text in investigated.said.items():
        assert not STEERS.search(text), (name, STEERS.search(text))
        for line in text.splitlines():
            if not name.startswith("preflight github"):
                assert not line.lstrip().startswith("::"), (name, line)
    assert any(MARK in text for text in investigated.said.values())
    commands = investigated.said["preflight github"].splitlines()
    assert commands
    for line in commands:
        assert re.match(r"::(error|warning|notice) file=[^,:]*,line=\d+,title=[\w-]+::", line), line


def test_json_is_exact_and_steers_nothing(investigated: Investigated) -> None:
    written = [
        *investigated.case.glob("*.json"),
        *(investigated.folder / "out").glob("*.json"),
        investigated.folder / "report.json",
    ]
    assert len(written) >= 5
    texts = [p.read_text() for p in written] + [
        t for n, t in investigated.said.items() if n.endswith((" json", "sarif"))
    ]
    for text in texts:
        assert not STEERS.search(text)
        json.loads(text)
    summary = json.loads((investigated.case / "summary.json").read_text())
    assert {LINKS, HOTELS, IMAGES, DROPPED, GONE} <= {t["table"] for t in summary["tables"]}


def test_sarif_holds_no_link(investigated: Investigated) -> None:
    found = json.loads(investigated.said["preflight sarif"])
    for result in found["runs"][0]["results"]:
        assert not re.search(r"(?<!\\)\[", result["message"]["text"])
        assert " " not in result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def inert_html(text: str) -> None:
    steers = STEERS.search(text)
    assert not steers, text[steers.start() - 200 : steers.end() + 100]
    for tag, attributes in Tags(text).found:
        assert tag not in ("script", "img", "iframe", "object", "form"), tag
        if tag == "a":  # the page's own contents, and nowhere else
            assert (dict(attributes).get("href") or "").startswith("#"), attributes
        assert not any(name.startswith("on") for name in attributes)


def test_notebooks_obey_nothing(investigated: Investigated) -> None:
    with fx.open_case(investigated.case) as case:
        junction = case.junction(TableName("public", LINKS).sql)
        shown = [
            case,
            case.evidence,
            case.window,
            junction,
            case.browse(),
            case.recovery,
            case.cause(),
            *(case.table(r.name.sql) for r in case.results),
        ]
        for thing in shown:
            inert_html(thing._repr_html_())
            assert not STEERS.search(repr(thing))
        assert MARK in junction._repr_html_()
        assert len(junction.rows) == 30
    inert_html((investigated.folder / "report.html").read_text())


def test_markdown_and_csv(investigated: Investigated) -> None:
    for path in (investigated.folder / "report.md", investigated.folder / "out" / "runbook.md"):
        text = path.read_text()
        assert not STEERS.search(text), path
        outside = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.S)
        assert "<script" not in outside, path
        assert not re.search(r"(?<!\\)\]\(", outside), path
    with zipfile.ZipFile(investigated.folder / "report.zip") as bundle:
        names = bundle.namelist()
        assert all(re.fullmatch(r"[\w./-]+", n) and ".." not in n for n in names)
        assert sum(n.endswith(".csv") for n in names) == 3


def test_scripts_and_the_runbook_s_shell_run_nothing_but_themselves(
    investigated: Investigated, tmp_path: Path
) -> None:
    out = investigated.folder / "out"
    for path in out.glob("*.sql"):
        depth = False
        for line in path.read_text().splitlines():
            depth = line.startswith("COPY ") or (depth and line != "\\.")
            if line.startswith("--"):
                assert not STEERS.search(line), (path, line)
    assert investigated.said["recover"].count("yes") >= 1, (
        "they were rehearsed, on names like these"
    )
    # psql is not there in this shell: what the blocks hold besides it would run.
    (tmp_path / "psql").write_text("#!/bin/sh\ncat >/dev/null\n")
    (tmp_path / "pg_dump").write_text("#!/bin/sh\n")
    (tmp_path / "pg_restore").write_text("#!/bin/sh\n")
    for program in tmp_path.iterdir():
        program.chmod(0o755)
    for block in re.findall(r"```sh\n(.*?)```", (out / "runbook.md").read_text(), re.S):
        subprocess.run(
            ["bash", "-c", block],
            cwd=tmp_path,
            env={"PATH": f"{tmp_path}:/usr/bin:/bin", "DATABASE": "x"},
            check=False,
            capture_output=True,
        )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["pg_dump", "pg_restore", "psql"]
    assert not list(investigated.folder.rglob(MARK))
    assert not Path(MARK).exists()


@pytest.mark.parametrize(
    "name", ["plain", 'quo"te', "line\nSQL\n", 'back\\slash\n"', "\u202eé\x9b"]
)
def test_an_identifier_in_a_line_is_the_same_identifier(name: str, scratch: Scratch) -> None:
    assert in_a_line(name).isprintable()
    found = scratch.run(
        "postgres", f"SELECT count(*) FROM (SELECT 1 AS {in_a_line(name)}) s WHERE s.{q(name)} = 1"
    )
    assert found.strip() == "1"


def test_visible_and_document() -> None:
    assert visible("a\x1b\u202eb\U000e0041") == "a\\x1b\\u202eb\\U000e0041"
    value = {"\x9b\n": ["\u202e", "é", "\U000e0041", "\ud800"]}
    assert json.loads(document(value)) == value
    assert not STEERS.search(document(value))
