"""Where a loss is concentrated: planted causes are found with exact counts, and chance is not."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import forensics as fx
import forensics.cli
from forensics.cli.voice import app
from forensics.errors import BackupError
from forensics.evidence import samples
from forensics.loss.concentration import concentration_of, reading, work_out
from forensics.loss.concentration.evidence import Tally
from forensics.scratch import Scratch

forensics.cli.register()

ROWS = 4000
# Each table has the same rows and a cause of its own. 7919 is prime: columns do not go together.
BEFORE = """
CREATE TYPE condition AS ENUM ('new', 'worn', 'mended');
CREATE TABLE branches (code text PRIMARY KEY, title text NOT NULL);
INSERT INTO branches SELECT 'b' || i, 'Branch no. ' || i FROM generate_series(0, 39) i;
"""
TABLE = """
CREATE TABLE {name} (
  loan bigint PRIMARY KEY, branch text NOT NULL REFERENCES branches, state condition NOT NULL,
  returned boolean NOT NULL, lent_at timestamptz NOT NULL, due date, place int NOT NULL,
  fee numeric(8, 2), remark text
);
INSERT INTO {name}
  SELECT i, 'b' || i * 7919 % 40,
         (ARRAY['new', 'worn', 'mended'])[1 + i * 7919 % 1013 % 3]::condition,
         i * 7919 % 1019 % 5 = 0, timestamptz '2023-01-01 00:00Z' + i * interval '3 hours',
         CASE WHEN i * 7919 % 1021 % 4 > 0
              THEN date '2023-01-01' + (i * 7919 % 1031 % 700)::int END,
         i * 7919 % 1033 % 6, (i * 7919 % 1039 % 5000) / 100.0, 'remark ' || i
    FROM generate_series(1, 4000::bigint) i;
"""
_FEW = "OR loan * 7919 % 1049 % 250 = 0"
# By table: what is deleted.
DELETED = {
    "by_branch": f"branch = 'b7' {_FEW}",
    "by_time": f"lent_at < '2023-04-01 00:00Z' {_FEW}",
    "by_state": "state = 'worn' AND loan * 7919 % 1051 % 3 = 0",
    "by_flag": "returned AND loan * 7919 % 1051 % 2 = 0",
    "by_null": f"due IS NULL {_FEW}",
    "by_value": "due IS NOT NULL AND loan * 7919 % 1051 % 4 = 0",
    "by_place": "place > 0 AND loan * 7919 % 1051 % 4 = 0",
    "by_fee": "fee >= 9",
    "by_range": f"due BETWEEN '2023-05-10' AND '2023-06-20' {_FEW}",
    "by_two": "branch = 'b7' OR loan > 3880",
    "by_both": "branch = 'b7' AND lent_at < '2023-06-01 00:00Z'",
    "by_chance": "loan * 7919 % 1049 % 20 = 0",
    "by_few": "branch = 'b7' AND loan % 6 = 0",
    "by_all": "true",
}
CHANGED = """
UPDATE by_change SET remark = 'renewed ' || loan WHERE branch = 'b3' AND loan % 10 <> 0;
UPDATE by_blank SET fee = NULL WHERE place = 2;
INSERT INTO by_import SELECT loan + 100000, 'b5', state, returned, lent_at, due, place, fee, remark
  FROM by_import WHERE loan <= 500;
INSERT INTO by_growth SELECT loan + 100000, branch, 'new', false, now(), due, place, fee, remark
  FROM by_growth WHERE loan <= 500;
"""
OTHERS = ("by_change", "by_blank", "by_import", "by_growth")


@pytest.fixture(scope="module")
def sides(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A backup, and live."""
    name = "concentrated"
    scratch.create(name)
    tables = [TABLE.format(name=table) for table in (*DELETED, *OTHERS)]
    scratch.run(name, BEFORE + "".join(tables))
    backup = scratch.dump(name, tmp_path_factory.mktemp("concentrated") / "backup.dump", "-Fc")
    deletes = [f"DELETE FROM {table} WHERE {which};" for table, which in DELETED.items()]
    scratch.run(name, "\n".join(deletes) + CHANGED)
    yield backup, scratch.dsn(name)
    scratch.drop(name)


@pytest.fixture(scope="module")
def case(sides: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> fx.Case:
    """What is found of it."""
    return fx.compare(*sides, tmp_path_factory.mktemp("concentrated") / "case")


def slices(case: fx.Case, table: str) -> list[dict[str, Any]]:
    """What is said of a table, its values unmasked."""
    return [e for e in case.store.get("loss")["concentrated"] if e["table"] == table]


def rows(where: Any) -> int:
    """How many of the tables' rows meet a condition, as Python has them."""
    return sum(1 for i in range(1, ROWS + 1) if where(i))


def lent(i: int) -> datetime:
    return datetime(2023, 1, 1) + timedelta(hours=3 * i)


def few(i: int) -> bool:
    return i * 7919 % 1049 % 250 == 0


def b7(i: int) -> bool:
    return i * 7919 % 40 == 7


def due(i: int) -> int | None:
    return i * 7919 % 1031 % 700 if i * 7919 % 1021 % 4 else None


def place(i: int) -> int:
    return i * 7919 % 1033 % 6


def fee(i: int) -> float:
    return i * 7919 % 1039 % 5000 / 100


APRIL, JUNE = datetime(2023, 4, 1), datetime(2023, 6, 1)
MAY, SUMMER = 129, 170  # days from the first
FOUND = {
    "by_branch": ("branch", "equal", "b7", b7, lambda i: b7(i) or few(i)),
    "by_time": (
        "lent_at",
        "before",
        "2023-04-01 00:00+00",
        lambda i: lent(i) < APRIL,
        lambda i: lent(i) < APRIL or few(i),
    ),
    "by_state": (
        "state",
        "equal",
        "worn",
        lambda i: i * 7919 % 1013 % 3 == 1,
        lambda i: i * 7919 % 1013 % 3 == 1 and i * 7919 % 1051 % 3 == 0,
    ),
    "by_flag": (
        "returned",
        "equal",
        "true",
        lambda i: i * 7919 % 1019 % 5 == 0,
        lambda i: i * 7919 % 1019 % 5 == 0 and i * 7919 % 1051 % 2 == 0,
    ),
    "by_null": (
        "due",
        "null",
        None,
        lambda i: due(i) is None,
        lambda i: due(i) is None or few(i),
    ),
    "by_value": (
        "due",
        "not null",
        None,
        lambda i: due(i) is not None,
        lambda i: due(i) is not None and i * 7919 % 1051 % 4 == 0,
    ),
    "by_place": (
        "place",
        "at least",
        "1",
        lambda i: place(i) > 0,
        lambda i: place(i) > 0 and i * 7919 % 1051 % 4 == 0,
    ),
}


@pytest.mark.parametrize("table", FOUND)
def test_planted_causes_are_found_and_counted(case: fx.Case, table: str) -> None:
    column, test, value, within, lost = FOUND[table]
    [found] = slices(case, table)
    told = found["value"] or found["low"] or found["high"]
    assert (found["of"], found["column"], found["test"], told) == ("missing", column, test, value)
    both = rows(lambda i: within(i) and lost(i))
    assert (found["rows"], found["of_rows"]) == (both, rows(lost))
    assert (found["table_rows"], found["of_table_rows"]) == (rows(within), ROWS)
    assert found["share"] == pytest.approx(both / rows(lost), abs=1e-6)
    assert found["lift"] == pytest.approx(found["share"] / rows(within) * ROWS, abs=1e-3)
    assert found["also"] is None


def test_ranges(case: fx.Case) -> None:
    [found] = slices(case, "by_fee")
    assert (found["column"], found["test"], found["low"]) == ("fee", "at least", "9.0")
    assert found["rows"] == found["of_rows"] == found["table_rows"] == rows(lambda i: fee(i) >= 9)
    [found] = slices(case, "by_range")
    assert (found["column"], found["test"]) == ("due", "within")
    assert (found["low"], found["high"]) == ("2023-05-10", "2023-06-21")
    within = rows(lambda i: due(i) is not None and MAY <= due(i) <= SUMMER)
    assert (found["rows"], found["table_rows"]) == (within, within)


def test_two_causes_at_once(case: fx.Case) -> None:
    first, second = slices(case, "by_two")
    both = rows(lambda i: b7(i) and i > 3880)
    assert (first["column"], first["rows"]) == ("lent_at", 120)  # as good as `loan`: times first
    assert (second["column"], second["value"], second["rows"]) == ("branch", "b7", rows(b7))
    assert first["of_rows"] == second["of_rows"] == 120 + rows(b7) - both


def test_one_cause_of_two_columns(case: fx.Case) -> None:
    [found] = slices(case, "by_both")
    assert (found["column"], found["value"]) == ("branch", "b7")
    assert (found["also"]["column"], found["also"]["high"]) == ("lent_at", "2023-06-01 00:00+00")
    lost = rows(lambda i: b7(i) and lent(i) < JUNE)
    assert found["rows"] == found["of_rows"] == found["table_rows"] == lost


def test_whose_rows_they_were(case: fx.Case) -> None:
    [found] = slices(case, "by_branch")
    assert found["parent"] == {
        "schema": "public",
        "table": "branches",
        "column": "title",
        "label": "Branch no. 7",
    }


def test_changed_overwritten_and_added_rows(case: fx.Case) -> None:
    [found] = slices(case, "by_change")
    assert (found["of"], found["column"], found["value"]) == ("changed", "branch", "b3")
    [found] = slices(case, "by_blank")
    assert (found["of"], found["column"], found["value"]) == ("overwritten", "place", "2")
    [found] = slices(case, "by_import")
    assert (found["of"], found["column"], found["value"]) == ("added", "branch", "b5")
    assert (found["rows"], found["of_table_rows"]) == (500, ROWS + 500)
    assert found["table_rows"] == 500 + rows(lambda i: i * 7919 % 40 == 5)


@pytest.mark.parametrize("table", ["by_chance", "by_few", "by_all", "by_growth"])
def test_nothing_is_said(case: fx.Case, table: str) -> None:
    assert slices(case, table) == []


def test_samples_find_what_all_rows_tell(
    case: fx.Case, sides: tuple[Path, str], case_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Out of what was kept as the rows were compared.
    monkeypatch.setattr(work_out, "_SAMPLE", 1000)
    monkeypatch.setattr(samples, "_FIRST_STEP", 600)
    monkeypatch.setattr(samples, "_SMALL_PIECE", 100)
    segments: list[samples.SampledSegment | None] = []
    sample_of = samples.sample_of

    def noting(*of: Any) -> samples.SampledSegment | None:
        segments.append(sample_of(*of))
        return segments[-1]

    monkeypatch.setattr(reading, "sample_of", noting)
    with fx.compare(*sides, case_folder) as again:
        found = again.store.get("loss")["concentrated"]
    assert sum(segment is not None for segment in segments) > 10
    assert found == case.store.get("loss")["concentrated"]


def test_values_are_masked(case: fx.Case) -> None:
    found = {e["table"]: e for e in case.loss["concentrated"]}
    assert found["by_branch"]["value"] == "•••"
    assert found["by_branch"]["parent"]["label"] == "B••• (12 characters)"
    assert found["by_fee"]["low"] == "•••"
    assert found["by_state"]["value"] == "worn"  # a label of an enum
    assert found["by_flag"]["value"] == "true"
    assert found["by_time"]["high"] == "2023-04-01 00:00+00"  # nobody's own
    assert found["by_range"]["low"] == "•••"


def test_it_is_said(case: fx.Case, tmp_path: Path) -> None:
    said = (
        f"by_time: 98 % of the missing rows (719 of {rows(lambda i: lent(i) < APRIL or few(i))}) "
        "have lent_at before 2023-04-01 00:00+00, as have 18 % of the table's rows; "
        "every one of these is missing."
    )
    terminal = CliRunner().invoke(app, ["loss", str(case.folder)], env={"COLUMNS": "300"})
    assert said in terminal.output.splitlines()
    page = case.report(tmp_path / "report.html").read_text("utf-8")
    assert "Where it is concentrated" in page
    assert "Branch no. 7" not in page
    open_page = case.report(tmp_path / "open.md", mask=False).read_text("utf-8")
    assert "have `branch` = 'b7' (Branch no. 7), as have 2.5 % of the table's rows" in open_page
    frame = case.concentration
    assert frame.query("table == 'by_time'")["rows"].item() == 719


def test_a_table_that_cannot_be_read_again_is_said(
    sides: tuple[Path, str], case_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise BackupError("The disk is gone.")

    monkeypatch.setattr(work_out, "sample", broken)
    with fx.compare(*sides, case_folder) as found:
        entries = found.loss["concentrated"]
        assert len(found.concentration) == len(entries)
    assert {e["table"] for e in entries} >= {"by_branch", "by_time"}
    said = "where its loss is concentrated is not known: The disk is gone."
    assert concentration_of(entries[0]) == said


# --- chance ---------------------------------------------------------------------------------------


def test_the_bound_holds() -> None:
    """The probability is at most what is claimed, of hypergeometric draws."""
    random_ = random.Random(7)
    for _ in range(200):
        of_rows = random_.randrange(40, 400)
        rows_, lost = random_.randrange(1, of_rows), random_.randrange(1, of_rows)
        for met in range(max(0, lost + rows_ - of_rows), min(rows_, lost) + 1):
            claimed = math.exp(-Tally(met, rows_, lost, of_rows).evidence)
            assert claimed >= _tail(met, rows_, lost, of_rows) * (1 - 1e-9)


def _tail(met: int, rows_: int, lost: int, of_rows: int) -> float:
    ways = 0
    for number in range(met, min(rows_, lost) + 1):
        ways += math.comb(rows_, number) * math.comb(of_rows - rows_, lost - number)
    return ways / math.comb(of_rows, lost)


def test_rows_lost_at_random_have_nothing_in_common(tmp_path: Path) -> None:
    """200 tables, each with its own share of rows that went, changed and came."""
    before, after = {}, {}
    for seed in range(200):
        before[f"t{seed}"], after[f"t{seed}"] = _churned(random.Random(seed))
    for name, tables in (("backup.sql", before), ("live.sql", after)):
        (tmp_path / name).write_text(_dump(tables), encoding="utf-8")
    with fx.compare(tmp_path / "backup.sql", tmp_path / "live.sql", tmp_path / "case") as case:
        asked = sum((r.missing or 0) >= 20 for r in case.results)
        said = [concentration_of(entry) for entry in case.loss["concentrated"]]
    assert asked > 120
    assert said == []


def _churned(random_: random.Random) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    number = random_.choice([400, 800, 1200])
    before = []
    for i in range(1, number + 1):
        owner = min(int(random_.paretovariate(1)), 40)
        paid = random_.choice(["t", "f", "f", "f"])
        day = f"2024-{1 + 12 * i // (number + 1):02}-{1 + i % 28:02}"
        note = random_.choice(["\\N", "x", f"n{i}"])
        before.append((str(i), str(owner), paid, day, note, str(random_.randint(0, 9))))
    rate = random_.choice([0.02, 0.05, 0.1, 0.3])
    after = []
    for row in before:
        fate = random_.random()
        if fate >= 2 * rate:
            after.append(row)
        elif fate >= rate:
            after.append((*row[:5], str(random_.randint(10, 20))))
    return before, after


def _dump(tables: dict[str, list[tuple[str, ...]]]) -> str:
    columns = "id, owner, paid, day, note, size"
    out = ["--\n-- PostgreSQL database dump\n--\n\n"]
    for name, found in tables.items():
        out.append(
            f"CREATE TABLE public.{name} (id integer NOT NULL, owner integer, paid boolean,"
            f" day date, note text, size integer);\nCOPY public.{name} ({columns}) FROM stdin;\n"
        )
        out += ["\t".join(row) + "\n" for row in found]
        out.append("\\.\n\n")
    for name in tables:
        out.append(f"ALTER TABLE ONLY public.{name} ADD CONSTRAINT {name}_pkey PRIMARY KEY (id);\n")
    return "".join([*out, "--\n-- PostgreSQL database dump complete\n--\n"])


def test_what_has_no_end(tmp_path: Path) -> None:
    """Of times and numbers, infinity is a value like another, and is not NULL."""
    ends = ["infinity", "2026-01-02 03:04:05", "2026-02-03 04:05:06", "\\N"]
    sizes = ["1.5", "NaN", "Infinity", "2.25", "\\N"]
    lines = []
    for i in range(400):
        lines.append(f"{i}\t{ends[i % 4]}\t{sizes[i % 5]}\n")
    for name, lost in (("backup.sql", ""), ("live.sql", "infinity")):
        kept = [line for line in lines if not lost or lost not in line]
        (tmp_path / name).write_text(
            "--\n-- PostgreSQL database dump\n--\n\n"
            "CREATE TABLE public.offers (id integer NOT NULL,"
            " until timestamp without time zone, size double precision);\n"
            "COPY public.offers (id, until, size) FROM stdin;\n"
            + "".join(kept)
            + "\\.\n\nALTER TABLE ONLY public.offers ADD CONSTRAINT p PRIMARY KEY (id);\n"
            "--\n-- PostgreSQL database dump complete\n--\n",
            encoding="utf-8",
        )
    with fx.compare(tmp_path / "backup.sql", tmp_path / "live.sql", tmp_path / "case") as case:
        [found] = slices(case, "offers")
    assert (found["column"], found["test"], found["value"]) == ("until", "equal", "infinity")
    assert (found["rows"], found["of_rows"], found["table_rows"]) == (100, 100, 100)
