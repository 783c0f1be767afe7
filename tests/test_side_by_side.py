"""Stages that run beside each other, and junction tables that two threads look at.

They answer what one after the other would, and end together.
"""

from __future__ import annotations

import _thread
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import duckdb
import psycopg
import pytest

import forensics as fx
from forensics import investigation
from forensics.errors import BackupError, LiveError
from forensics.evidence.beside import side_by_side
from forensics.loss import assessment, shelf
from forensics.loss.junctions import Junction
from forensics.loss.once import Once
from forensics.loss.working import WorkingTables
from forensics.loss.workspace import Workspace
from forensics.scratch import Scratch
from tests.conftest import Incident

PATIENCE = 30  # seconds, on a machine that is busy with other tests
LINKED = ("dishes", "shelves", "tours", "wines")


def before(chance: random.Random) -> str:
    said = ["CREATE TABLE cooks (id int PRIMARY KEY, name text, note text);"]
    said.append("INSERT INTO cooks SELECT i, 'cook ' || i, 'n' || i FROM generate_series(1, 60) i;")
    for name in LINKED:
        rows, every = chance.randint(20, 80), chance.randint(3, 9)
        said.append(
            f"""
            CREATE TABLE {name} (id int PRIMARY KEY, title text, cook int REFERENCES cooks);
            INSERT INTO {name}
                SELECT i, '{name} ' || i, 1 + i % 60 FROM generate_series(1, {rows}) i;
            CREATE TABLE cook_{name} (cook_id int REFERENCES cooks,
                other_id int REFERENCES {name} ON DELETE CASCADE,
                made_at timestamptz DEFAULT now(), PRIMARY KEY (cook_id, other_id));
            INSERT INTO cook_{name}
                SELECT i, j FROM generate_series(1, 60) i, generate_series(1, {rows}) j
                 WHERE (i * j) % {every} = 0;
            """
        )
    return "\n".join(said)


def change(chance: random.Random) -> str:
    said = [f"UPDATE cooks SET note = NULL WHERE id % {chance.randint(2, 4)} = 0;"]
    for name in LINKED:
        said.append(f"DELETE FROM cook_{name} WHERE cook_id > {chance.randint(20, 50)};")
        what = chance.choice(
            [
                f"DELETE FROM {name} WHERE id % 5 = 2;",
                f"UPDATE {name} SET title = 'gone' WHERE id % 2 = 0;",
                f"DROP TABLE cook_{name};",
                f"ALTER TABLE {name} ADD cooks int[]; UPDATE {name} SET cooks = ARRAY[55, 60];",
            ]
        )
        said.append(what)
    return "\n".join(said)


@pytest.fixture
def kitchen(incident: Incident) -> Incident:
    chance = random.Random(7)
    return incident.happens(before(chance), change(chance))


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(investigation, "cores", lambda: 2)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    left = [one.name for one in threading.enumerate() if one.name.startswith("conclude")]
    assert left == []


def documents(case: fx.Case) -> list[dict[str, Any]]:
    found = []
    for name in ("summary", "loss"):
        found.append(json.loads((Path(case.folder) / f"{name}.json").read_text()))
    del found[0]["live"]  # which says when it was read
    return found


# --- the same answer ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_two_threads_say_what_one_does(
    seed: int, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    incident.happens(before(chance), change(chance))
    said = []
    for number in (1, 2, 2):
        monkeypatch.setattr(investigation, "cores", lambda number=number: number)
        with incident.compare(f"case {len(said)}") as case:
            assert case.complete
            assert len(case.junctions) == len(LINKED)
            worst = [case.junction(f"cook_{name}").reach.to_dict() for name in LINKED]
            said.append((documents(case), worst))
    assert said[0] == said[1] == said[2]


@pytest.mark.usefixtures("two_cores")
def test_a_junction_table_that_fails_in_its_thread_fails_alone(
    kitchen: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    classify = assessment.classify

    def failing(work: Workspace, junction: Junction) -> Any:
        if junction.name.table in ("cook_dishes", "cook_tours"):
            raise BackupError(f"{junction.name.table} cannot be read.")
        return classify(work, junction)

    monkeypatch.setattr(assessment, "classify", failing)
    with kitchen.compare() as case:
        loss = case.store.get("loss")
    assert [one["table"] for one in loss["failed"]] == ["cook_dishes", "cook_tours"]
    assert loss["failed"][1]["reason"] == "cook_tours cannot be read."
    assert [one["table"] for one in loss["junctions"]] == ["cook_shelves", "cook_wines"]
    assert set(loss["totals"].values()) == {None}


def test_rows_that_others_may_read_are_chosen_in_one_thread(
    incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which rows of a table without a key are missing, once a column of its links is gone."""
    monkeypatch.setattr(investigation, "cores", lambda: 2)
    incident.happens(
        before(random.Random(1))
        + "CREATE TABLE stands (dish int REFERENCES dishes, shelf int REFERENCES shelves, n int);"
        "INSERT INTO stands SELECT i, 1 + i % 9, i % 3 FROM generate_series(1, 20) i;",
        "ALTER TABLE stands DROP COLUMN shelf; DELETE FROM stands WHERE dish < 9",
    )
    asked: list[int] = []

    def told(works: Any, threads: int, name: str) -> list[Any]:
        asked.append(threads)
        return side_by_side(works, threads, name)

    monkeypatch.setattr(assessment, "side_by_side", told)
    incident.compare().close()
    assert asked == [1, 2]


# --- side by side ---------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
def test_the_loss_is_begun_before_all_is_found_that_was_overwritten(
    threads: int, kitchen: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(investigation, "cores", lambda: threads)
    begun = threading.Event()
    find, assess = investigation.find_overwritten, investigation.assess
    overlaps = []

    def found(*given: Any) -> None:
        overlaps.append(begun.wait(PATIENCE if threads > 1 else 0.1))
        find(*given)

    def assessed(*given: Any, **more: Any) -> None:
        begun.set()
        assess(*given, **more)

    monkeypatch.setattr(investigation, "find_overwritten", found)
    monkeypatch.setattr(investigation, "assess", assessed)
    with kitchen.compare() as case:
        kinds = [finding["kind"] for finding in case.store.get("findings")]
        assert case.store.get("overwritten")
    assert overlaps == [threads > 1]
    assert "values overwritten" in kinds


@pytest.mark.usefixtures("two_cores")
def test_who_is_to_be_gentle_has_one_thread(
    kitchen: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    assess = investigation.assess

    def told(*given: Any, threads: int, **more: Any) -> None:
        asked.append(threads)
        assess(*given, threads=threads, **more)

    monkeypatch.setattr(investigation, "assess", told)
    kitchen.compare("gentle", options=fx.Options(nice=True)).close()
    kitchen.compare("quick").close()
    assert asked == [1, 2]


def refused(*_: object, **__: object) -> NoReturn:
    raise LiveError("The live database refused: timeout.", sqlstate="57014")


@pytest.mark.usefixtures("two_cores")
def test_the_loss_stands_where_what_was_overwritten_is_not_known(
    kitchen: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(investigation, "find_overwritten", refused)
    with kitchen.compare() as case:
        loss = case.store.get("loss")
        assert list(case.store.get("unknown")) == ["overwritten"]
        assert case.store.get("overwritten") is None
    assert loss["references"] is None, "of an earlier look nothing is said"
    assert loss["totals"]["lost"] > 0


@pytest.mark.usefixtures("two_cores")
def test_what_was_overwritten_stands_where_the_loss_is_not_known(
    kitchen: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(investigation, "assess", refused)
    with kitchen.compare() as case:
        assert list(case.store.get("unknown")) == ["loss"]
        assert case.store.get("overwritten")
        assert case.store.get("loss")["reason"]


class _Counting(fx.Listener):
    """Counts a database's sessions while rows are read."""

    def __init__(self, watch: psycopg.Connection, database: str) -> None:
        self._watch, self._database = watch, database
        self.most = 0

    def rows(self, table: object, rows: int) -> None:
        time.sleep(0.01)  # as long as another thread takes to open one more
        found = self._watch.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE application_name LIKE 'forensics%%' AND datname = %s",
            [self._database],
        ).fetchone()
        self.most = max(self.most, found[0] if found else 0)


@pytest.mark.usefixtures("two_cores")
def test_two_threads_take_no_further_session(
    kitchen: Incident, scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "_FEW_ROWS", -1)
    with psycopg.connect(scratch.dsn(), autocommit=True) as watch:
        listener = _Counting(watch, kitchen.live)
        kitchen.compare(listener=listener).close()
    assert listener.most == 2, "one that holds the snapshot, one that reads"


# --- the end --------------------------------------------------------------------------------------


class _Held:
    """Has what was overwritten looked for no faster than something is done in the loss."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, what: Callable[[], None]) -> None:
        done = threading.Event()
        find, assess = investigation.find_overwritten, investigation.assess

        def found(*given: Any) -> None:
            assert done.wait(PATIENCE)
            find(*given)

        def assessed(*given: Any, **more: Any) -> None:
            what()
            done.set()
            assess(*given, **more)

        monkeypatch.setattr(investigation, "find_overwritten", found)
        monkeypatch.setattr(investigation, "assess", assessed)


@pytest.mark.usefixtures("two_cores")
def test_a_database_that_is_lost_while_both_run_is_said_in_one_sentence(
    kitchen: Incident, scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut() -> None:
        with psycopg.connect(scratch.dsn(), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE application_name LIKE 'forensics%' AND datname = '{kitchen.live}'"
            )

    with monkeypatch.context() as patched:
        _Held(patched, cut)
        with pytest.raises(LiveError, match="was lost"):
            kitchen.compare()
    with kitchen.compare(options=fx.Options(resume=True)) as case:
        assert case.complete
        assert case.store.get("loss")["totals"]["lost"] > 0


@pytest.mark.usefixtures("two_cores")
def test_ctrl_c_ends_both(kitchen: Incident, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted: list[float] = []

    def interrupt() -> None:
        interrupted.append(time.monotonic())
        _thread.interrupt_main()
        time.sleep(0.5)

    with monkeypatch.context() as patched:
        _Held(patched, interrupt)
        with pytest.raises(KeyboardInterrupt):
            kitchen.compare()
    assert time.monotonic() - interrupted[0] < PATIENCE
    with kitchen.compare(options=fx.Options(resume=True)) as case:
        assert case.complete


# --- by themselves --------------------------------------------------------------------------------


def test_answers_come_in_order_and_the_first_error_is_raised() -> None:
    later = threading.Event()

    def slow() -> int:
        assert later.wait(PATIENCE), "two work at a time"
        return 1

    def quick() -> int:
        later.set()
        return 2

    assert side_by_side([slow, quick], 2, "conclude") == [1, 2]
    assert side_by_side([threading.get_ident] * 3, 1, "conclude") == [threading.get_ident()] * 3
    begun: list[int] = []

    def failing() -> int:
        raise BackupError("no")

    def counted() -> int:
        begun.append(1)
        time.sleep(0.05)
        return 3

    with pytest.raises(BackupError):
        side_by_side([failing, *[counted] * 50], 2, "conclude")
    assert len(begun) < 50, "what was not begun is left"


def test_what_two_ask_for_is_worked_out_once() -> None:
    once: Once[str, int] = Once()
    made: list[int] = []

    def work() -> int:
        time.sleep(0.1)
        made.append(1)
        return 5

    assert side_by_side([lambda: once.answer("a", work)] * 4, 4, "conclude") == [5] * 4
    assert made == [1]

    def failing() -> int:
        raise BackupError("no")

    with pytest.raises(BackupError):
        once.answer("b", failing)
    assert once.answer("b", work) == 5, "what failed is tried again"


def test_working_tables_are_seen_by_all_threads_and_leave_nothing() -> None:
    with duckdb.connect() as case:
        work = WorkingTables(case)
        name, rows = work.temp_counted("SELECT range AS i FROM range(7)")
        assert rows == 7
        assert side_by_side([lambda: work.count(name)] * 3, 2, "conclude") == [7, 7, 7]
        names = side_by_side([lambda: work.temp("SELECT 1 AS i")] * 20, 4, "conclude")
        assert len(set(names)) == 20
        work.close()
        left = case.execute("SELECT count(*) FROM duckdb_databases() WHERE NOT internal")
        assert left.fetchone() == (1,)
