"""Plain dumps that are damaged at a place: its table fails, the others are read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from forensics.evidence import open_source
from forensics.evidence.inspection import Inspection, inspect_backup
from forensics.scratch import Scratch

SQL = """CREATE TYPE phase AS ENUM ('egg', 'larva', 'imago');
CREATE TABLE apiary (id int PRIMARY KEY, place text NOT NULL, founded date);
INSERT INTO apiary SELECT i, 'slope; ' || i, date '2024-02-01' + i FROM generate_series(1, 12) i;
CREATE TABLE hive (
    id bigint PRIMARY KEY, apiary_id int REFERENCES apiary, phase phase, tag varchar(8),
    queen uuid DEFAULT gen_random_uuid(), seen timestamptz, weight numeric(5,2), alive boolean
);
INSERT INTO hive SELECT i, 1 + i % 12, (ARRAY['egg', 'larva', 'imago'])[1 + i % 3]::phase,
    't' || i, gen_random_uuid(), timestamptz '2025-03-01 08:00Z' + i * interval '1 hour',
    i * 1.25, i % 2 = 0
FROM generate_series(1, 40) i;
CREATE TABLE none_yet (id int PRIMARY KEY);
CREATE TABLE word (word text);
INSERT INTO word SELECT 'w' || i FROM generate_series(1, 9) i;"""
ROWS = {"apiary": 12, "hive": 40, "none_yet": 0, "word": 9}


@pytest.fixture(scope="module")
def dumps(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("torn")
    scratch.create("torn")
    scratch.run("torn", SQL)
    copies = scratch.dump("torn", folder / "copies.sql").read_text("utf-8")
    inserts = scratch.dump("torn", folder / "inserts.sql", "--inserts").read_text("utf-8")
    scratch.drop("torn")
    return {"copies": copies, "inserts": inserts}


@dataclass(frozen=True)
class Damage:
    """What was done to a dump, and what is to be said of it.

    Attributes:
        old, new: a pattern, and what stands in its place, once.
        table: that is not to be relied on.
        sound: how many of its rows are sure.
        says: words of the damage.
        form: of the dump.
    """

    old: str
    new: str
    table: str
    sound: int
    says: str
    form: str = "copies"


APIARY = r"COPY public\.apiary \(id, place, founded\) FROM stdin"
DAMAGES = {
    "glued": Damage(r"(\n7\tslope; 7\t\S+)\n", r"\1", "apiary", 10, "row 7 .line .* 5 fields"),
    "halved": Damage(r"\n7\tslope; 7", "\n7\tslope\n; 7", "apiary", 9, "2 fields"),
    "halved key": Damage(r"\n11\tslope", "\n1\n1\tslope", "apiary", 10, "1 fields"),
    "a field too few": Damage(r"\n5\tslope; 5\t\S+", "\n5\tslope; 5", "apiary", 9, "2 fields"),
    "a warning": Damage(
        r"\n6\tslope", "\npg_dump: warning: it is odd\n6\tslope", "apiary", 12, "message"
    ),
    "no semicolon": Damage(
        APIARY + ";", APIARY.replace("\\", ""), "apiary", 12, "lacks its semicolon"
    ),
    "no line feed": Damage(rf"({APIARY};)\n", r"\1", "apiary", 12, "stands behind its COPY"),
    "neither": Damage(rf"({APIARY});\n", r"\1", "apiary", 12, "lacks its semicolon"),
    "no end": Damage(r"(\n12\tslope.*\n)\\\.\n", r"\1", "apiary", 12, "end mark .* is lost"),
    "no end of one column": Damage(r"(\nw9\n)\\\.\n", r"\1", "word", 9, "end mark .* is lost"),
    "end in the row": Damage(r"(\n12\tslope.*)\n\\\.", r"\1\\.", "apiary", 11, "end mark"),
    "no COPY": Damage(
        APIARY, "COPZ public.apiary (id, place, founded) FROM stdin", "apiary", 0, "no statement"
    ),
    "no stdin": Damage(
        APIARY,
        "COPY public.apiary (id, place, founded) FROM st din",
        "apiary",
        0,
        "would not understand",
    ),
    "the line lost": Damage(rf"{APIARY};\n", "", "apiary", 0, "no statement"),
    "the rows lost": Damage(rf"{APIARY};\n(.*\n)*?\\\.\n", "", "apiary", 0, "none behind it"),
    "another name": Damage(
        r"COPY public\.apiary",
        "COPY public.apiarz",
        "apiary",
        0,
        "under the heading of table apiary",
    ),
    "another column": Damage(
        r"(COPY public\.apiary \(id, pl)a", r"\1b", "apiary", 12, "column plbce|column plbc"
    ),
    "a word": Damage(
        r"INSERT (INTO public\.apiary VALUES \(4,)",
        r"INSERU \1",
        "apiary",
        11,
        "no statement",
        "inserts",
    ),
    "another word": Damage(
        r"INTO (public\.apiary VALUES \(4,)", r"INTP \1", "apiary", 11, "no statement", "inserts"
    ),
    "no semicolon between": Damage(
        r"(VALUES \(4, 'slope; 4', '\S+'\));",
        r"\1",
        "apiary",
        3,
        r"at line \d+: An INSERT",
        "inserts",
    ),
    "no semicolon at the end": Damage(
        r"(VALUES \(12, 'slope; 12', '\S+'\));", r"\1", "apiary", 11, "without an end", "inserts"
    ),
    "no quote": Damage(r"(VALUES \(4, 'slope; 4', '[\d-]+)'", r"\1", "apiary", 3, "", "inserts"),
    "a value too few": Damage(
        r"(VALUES \(4), 'slope; 4'", r"\1", "apiary", 3, "2 values", "inserts"
    ),
    "another table": Damage(
        r"INTO public\.apiary (VALUES \(4,)",
        r"INTO public.apiarx \1",
        "apiary",
        11,
        "under the heading of table apiary",
        "inserts",
    ),
}
VALUES = {
    "id": (r"\n21\t", "\n2l\t"),
    "id too large": (r"\n21\t", "\n99999999999999999999\t"),
    "apiary_id": (r"(\n21\t)10", r"\g<1>3000000000"),
    "phase": (r"(\n21\t10\t)\w+", r"\1larvb"),
    "tag": (r"(\n21\t10\t\w+\t)t21", r"\1t21 t21 t"),
    "queen": (r"(\n21\t10\t\w+\tt21\t\w{8})-", r"\1_"),
    "seen": (r"2025-03-02 05", "2025-02-30 05"),
    "seen at": (r"2025-03-02 05", "2025-03-02 x5"),
    "seen with too many digits": (r"2025-03-02 05:00:00\+", "2025-03-02 05:00:000:00+"),
    "weight": (r"\t26\.25\t", "\t2626.25\t"),
    "weight in words": (r"\t26\.25\t", "\t26.2S\t"),
    "alive": (r"(\t26\.25\t)f", r"\1g"),
}


def looked_through(text: str, path: Path) -> Inspection:
    path.write_text(text, "utf-8")
    with open_source(path) as source:
        return inspect_backup(source)


def only(found: Inspection, table: str) -> str:
    """What is said of a table, and that all others are whole."""
    said = ""
    for held in found.tables:
        if held.table.name.table == table:
            said = f"{found.damage} {held.problem}"
            assert held.problem
        elif held.table.name.table in ROWS:
            assert held.problem is None, held
            assert held.rows == ROWS[held.table.name.table]
    assert not found.whole
    return said


def changed(text: str, old: str, new: str) -> str:
    result, times = re.subn(old, new, text, count=1)
    assert times == 1, old
    return result


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", DAMAGES)
def test_damage_at_a_place(name: str, line_end: str, dumps: dict[str, str], tmp_path: Path) -> None:
    damage = DAMAGES[name]
    text = changed(dumps[damage.form], damage.old, damage.new)
    found = looked_through(text.replace("\n", line_end), tmp_path / "b.sql")
    assert re.search(damage.says, only(found, damage.table))
    [held] = [h for h in found.tables if h.table.name.table == damage.table]
    assert held.rows == damage.sound


@pytest.mark.parametrize("name", VALUES)
def test_a_value_that_its_type_cannot_hold(
    name: str, dumps: dict[str, str], tmp_path: Path
) -> None:
    found = looked_through(changed(dumps["copies"], *VALUES[name]), tmp_path / "b.sql")
    words = rf"row 21 \(line \d+ of the file\) holds a value in column {name.split()[0]}"
    assert re.search(words, only(found, "hive"))
    assert looked_through(dumps["copies"], tmp_path / "whole.sql").whole


def test_messages_behind_rows_that_break_off(dumps: dict[str, str], tmp_path: Path) -> None:
    text = dumps["copies"]
    cut = text[: text.index("\n8\tslope")]
    cut += '\npg_dump: error: Dumping the contents of table "apiary" failed.\n'
    cut += "pg_dump: detail: Command was: COPY public.apiary TO stdout;\n"
    found = looked_through(cut, tmp_path / "b.sql")
    assert found.damage == "the rows of table apiary break off after 7 whole rows"
    assert found.tables[0].rows == 7


SOUND: dict[str, Callable[[str], str]] = {
    "rows like statements": lambda t: t.replace(
        "\nw1\n", "\nCOPY public.other (word) FROM stdin;\n--\n-- Data for Name: x\n"
    ),
    "rows like messages": lambda t: t.replace("\nw1\n", "\npg_dump: warning: a word\n"),
    "a dialect": lambda t: t.replace(
        "ALTER TABLE public.word OWNER", "ALTER TABLE public.word SET WITH OWNER"
    ),
    "a comment behind COPY": lambda t: re.sub(rf"({APIARY};)", r"\1 -- rows", t),
    "spellings of people": lambda t: t.replace(
        "-- PostgreSQL database dump\n", "-- by hand\n"
    ).replace("\t2025-03-02 05:00:00+00\t26.25\tf", "\tMarch 2, 2025 5am UTC\t 2.625e1\tno"),
    "a word behind the end": lambda t: t + "Backup finished; all is well;\n",
}


@pytest.mark.parametrize("name", SOUND)
def test_what_is_no_damage(name: str, dumps: dict[str, str], tmp_path: Path) -> None:
    text = SOUND[name](dumps["copies"])
    assert text != dumps["copies"]
    found = looked_through(text, tmp_path / "b.sql")
    assert not [held for held in found.tables if held.problem]
    if "--" not in name and "hand" not in text[:40]:
        assert found.whole, found.verdict


@pytest.mark.parametrize("form", ["copies", "inserts"])
def test_a_heading_that_breaks_off_is_damage(
    form: str, dumps: dict[str, str], tmp_path: Path
) -> None:
    text = changed(dumps[form], r"-- Name: word; Type: TABLE; [^\n]*", "-- Name: woINTO x")
    found = looked_through(text, tmp_path / "b.sql")
    assert not found.whole
    assert "a heading that breaks off stands at line" in str(found.damage)
