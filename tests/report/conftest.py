"""A small incident whose names and values would break a careless report, as a case."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

import forensics as fx
from forensics.scratch import Scratch
from sample_data import build

VALUES = (
    "<script>alert('x')</script>",
    '=HYPERLINK("https://evil.example","win")',
    "pipe | and `code` and **bold**",
    "line\nbreak\r\nand\ttab",
    "\u202egnp.exe \x1b[31mcrimson\x1b[0m",
    "-1+1",
    "@SUM(A1:A9) {{ 7 * 7 }}",
    "https://cdn.example/very/private.png",
)
LINKS = 'pipe|<i>&"links" $x$'
LONG = "a_table_with_a_name_of_sixty_three_bytes_as_long_as_they_may_be"

_SCHEMA = f"""
CREATE TABLE guests (id serial PRIMARY KEY, name text NOT NULL, born date, email text UNIQUE);
CREATE TABLE rooms (id text PRIMARY KEY, title text);
CREATE TABLE "{LINKS.replace('"', '""')}" (
    guest_id integer NOT NULL REFERENCES guests ON DELETE CASCADE,
    room_id text NOT NULL REFERENCES rooms ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT '2026-01-01 00:00:00Z',
    PRIMARY KEY (guest_id, room_id));
CREATE TABLE {LONG} (id integer PRIMARY KEY, secret text);
CREATE TABLE {LONG[:40]} (id integer PRIMARY KEY, secret text);
CREATE TABLE never_dumped (id integer PRIMARY KEY);
CREATE TABLE kept (id integer PRIMARY KEY, v text);
INSERT INTO rooms SELECT 'cm' || substr(md5(n::text), 1, 22), 'Room of secrets ' || n
    FROM generate_series(1, 9) n;
INSERT INTO {LONG[:40]} VALUES (1, NULL), (2, ''), (3, 'x'), (4, 'quote " and '' both');
INSERT INTO {LONG} VALUES (1, 'kept to oneself');
INSERT INTO never_dumped VALUES (1);
INSERT INTO kept VALUES (1, 'v');
"""


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def tree(text: str | bytes) -> ET.Element:
    """XML that the kit wrote itself, as a tree."""
    return ET.fromstring(text)  # noqa: S314


@pytest.fixture(scope="session")
def nasty_folder(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a case in which everything that is shown is out to be obeyed instead."""
    folder = tmp_path_factory.mktemp("nasty")
    links = f'"{LINKS.replace(chr(34), chr(34) * 2)}"'
    scratch.create("nasty")
    scratch.run("nasty", _SCHEMA)
    for n, value in enumerate(VALUES, 1):
        scratch.run(
            "nasty",
            f"INSERT INTO guests (name, born, email) VALUES ({_quoted(value)}, "
            f"'1970-05-0{n}', 'guest{n}@mail.example')",
        )
    scratch.run("nasty", f"INSERT INTO {links} SELECT g.id, r.id FROM guests g, rooms r")
    dump = scratch.dump("nasty", folder / "nasty.sql", "--exclude-table-data=never_dumped")
    scratch.run(
        "nasty",
        f"DELETE FROM {links} WHERE guest_id <= 6; DELETE FROM guests WHERE id = 8; "
        f"ALTER TABLE guests DROP COLUMN born;"
        f"DELETE FROM {LONG}; DROP TABLE {LONG[:40]};",
    )
    fx.compare(dump, scratch.dsn("nasty"), folder / "case").close()
    return folder / "case"


@pytest.fixture
def nasty(nasty_folder: Path) -> Iterator[fx.Case]:
    """That case, open."""
    with fx.open_case(nasty_folder) as case:
        yield case


@pytest.fixture
def sample(sample_case: Path) -> Iterator[fx.Case]:
    """The case of the sample incident, open."""
    with fx.open_case(sample_case) as case:
        yield case


@pytest.fixture(scope="session")
def investigated(sample_case: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sample's case that has been through cause and recovery too."""
    folder = shutil.copytree(sample_case, tmp_path_factory.mktemp("investigated") / "case")
    with fx.open_case(folder) as case:
        case.cause(build.MIGRATIONS)
        plan = case.recovery.plan.as_json()
        words = 'Rows of t do not go in: invalid input syntax for type integer: "crimson".'
        proof = {
            "recovers": 1,
            "destroys": 2,
            "seconds": 3.5,
            "checks": ["Nine of ten rows were there."],
            "problems": [words],
            "notes": [words],
        }
        plan["options"][0] |= {"proof": proof, "seconds": 3.5}
        plan["rehearsal"] = {"lost_before": 10, "seconds": 1.25, "problems": [words], "notes": []}
        plan["rehearsed_at"] = "2026-01-03T09:08:07+00:00"
        plan["runbook"].append(
            {
                "title": "Odd <b>",
                "parts": [
                    {"list": [f"`a<b>` {words}"]},
                    {"text": words},
                    {"commands": "one < two\nthree"},
                ],
            }
        )
        with case.writing() as store:
            store.put("recovery", plan)
    return folder
