"""A backup that somebody wrote by hand: names without schemas, keys without names or columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import forensics as fx
from forensics.recovery import Scope, Wishes, make_plan
from forensics.scratch import Scratch

BACKUP = """
create table reader (id serial primary key, name text);
create table shelf (id bigserial primary key, name text unique);
create table reader_shelf (
    reader_id int references reader, shelf_id int references shelf,
    primary key (reader_id, shelf_id)
);
insert into reader values (1, 'a');
insert into reader values (2, 'b');
insert into shelf values (1, 'x'), (2, 'y');
insert into reader_shelf values (1, 1);
insert into reader_shelf values (2, 2);
"""


def test_tables_come_back_from_a_backup_by_hand(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "b.sql").write_text(BACKUP, "utf-8")
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "001.sql").write_text("DROP TABLE reader_shelf; DROP TABLE shelf;", "utf-8")
    live = scratch.dsn(database(BACKUP + "DROP TABLE reader_shelf; DROP TABLE shelf;"))
    with fx.compare(tmp_path / "b.sql", live, tmp_path / "case") as case:
        assert case.complete
        assert case.columns.empty
        [junction] = case.loss["junctions"]
        assert (junction["lost"], len(junction["parents"])) == (2, 2)
        case.cause(folder, ran=["001"])
        wishes = Wishes(live, rehearse=True, scratch=scratch)
        plan = make_plan(case.store, tmp_path / "out", Scope(), wishes)
    assert plan.problem is None
    assert {option.name: option.verified for option in plan.options}["reinsert lost rows"]
    assert plan.rehearsal is not None
    assert (plan.rehearsal.lost_before, plan.rehearsal.lost_after) == (4, 0)
