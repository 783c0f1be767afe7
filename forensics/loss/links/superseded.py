"""Missing links that live holds in the same table, in another row."""

from __future__ import annotations

from forensics.loss.ends import turned_ends
from forensics.loss.junctions import Junction, payload_of
from forensics.loss.marks import kept_dead, marks_of, read_with_dead
from forensics.loss.missing import MissingRows
from forensics.loss.sql import listed, numbered, prefixed, renamed, same, same_link


def superseded_links(missing: MissingRows, junction: Junction) -> str | None:
    """Return a working table (pair, live_pair) of links that the table holds, or None.

    Missing links are paired with added rows of the same link, one with one. What is
    left over is superseded where any row of live says the same, payload and all: the
    row that a clean-up of duplicates kept, for one. `live_pair` is NULL there. Rows that
    are marked deleted count only for links that were marked so already.
    """
    work, name, columns = missing.work, missing.name, junction.link_columns
    result = work.result(name)
    kept = work.kept("live", name)
    live = work.table("live", name)
    if kept is None or result is None or live is None:
        return None
    if turned_ends(work, junction.parents, live):
        return None  # equal numbers are other links there
    if not set(columns) <= set(result.columns):
        return None
    ours = missing.fields(columns) or []
    theirs = work.fields("live", name, columns) or []
    on = same(prefixed("b", ours), prefixed("l", theirs))
    found = work.temp(
        f"""
        SELECT b.pair, l.pair AS live_pair
          FROM (SELECT {_ranked(ours, kept_dead(work, "backup", name))}
                  FROM {missing.relation}) b
          JOIN (SELECT {_ranked(theirs, kept_dead(work, "live", name))}
                  FROM {kept} WHERE state = 'added') l
            ON b.r = l.r AND {on} AND (b.dead OR NOT l.dead)
        """
    )
    if (result.missing or 0) > work.count(found):
        _say_again(missing, junction, found)
    return found


def only_dead(missing: MissingRows, junction: Junction, superseded: str | None) -> int:
    """Count the missing links that live holds only in rows that are marked deleted.

    Args:
        missing: the missing rows; junction: their table.
        superseded: a working table (pair, live_pair) of those that it holds otherwise.
    """
    work, name = missing.work, missing.name
    kept = work.kept("live", name)
    theirs = work.fields("live", name, junction.link_columns)
    ours = missing.fields(junction.link_columns)
    live = work.table("live", name)
    if kept is None or not theirs or not ours or live is None or not marks_of(live):
        return 0
    on = same(prefixed("m", ours), prefixed("l", theirs))
    known = f"SELECT pair FROM {superseded}" if superseded else "SELECT NULL WHERE false"
    return work.count(
        f"""
        {missing.relation} m SEMI JOIN {kept} l
           ON {on} AND {kept_dead(work, "live", name, "l.")}
        WHERE NOT {kept_dead(work, "backup", name, "m.")} AND m.pair NOT IN ({known})
        """
    )


def _ranked(fields: list[str], is_dead: str) -> str:
    """A select list that numbers the rows of each link, those marked deleted last."""
    link = listed(fields)
    rank = f"row_number() OVER (PARTITION BY {link} ORDER BY {is_dead}, pair) AS r"
    return f"pair, {link}, {is_dead} AS dead, {rank}"


def _say_again(missing: MissingRows, junction: Junction, found: str) -> None:
    """Put into `found` the missing links that rows of both sides say too."""
    said = _columns_said(missing, junction)
    rows = _rows_that_say(missing, junction, said)
    if rows is None:
        return
    ours = missing.fields(said) or []
    width = len(junction.link_columns)
    on = same_link(prefixed("m", ours), numbered("l.c", len(ours)), width)
    missing.work.run(
        f"""
        INSERT INTO {found}
        SELECT m.pair, NULL
          FROM {missing.relation} m SEMI JOIN {rows} l
            ON {on} AND (NOT l.dead OR {kept_dead(missing.work, "backup", missing.name, "m.")})
         WHERE m.pair NOT IN (SELECT pair FROM {found})
        """
    )


def _columns_said(missing: MissingRows, junction: Junction) -> tuple[str, ...]:
    """The columns of the link, and those of its payload that were compared."""
    compared = missing.work.results[missing.name].columns
    live = missing.work.live.catalog.tables[missing.name]
    said = list(junction.link_columns)
    for name in payload_of(missing.table, junction):
        column = live.column(name)
        if column is not None and not column.generated and name in compared:
            said.append(name)
    return tuple(said)


def _rows_that_say(missing: MissingRows, junction: Junction, said: tuple[str, ...]) -> str | None:
    """A relation (c0, …, dead) of live's rows that may say a link again, or None."""
    work, name = missing.work, missing.name
    link = set(junction.link_columns)
    is_keyed = any(link.issuperset(key.columns) for key in missing.table.keys)
    if is_keyed and not missing.translated:
        # The backup had each link once: another row says it only since it was changed.
        fields = work.fields("live", name, said) or []
        kept = work.kept("live", name)
        select = f"{renamed(fields, 'c')}, {kept_dead(work, 'live', name)} AS dead"
        return f"(SELECT {select} FROM {kept} WHERE state = 'changed')"
    result = work.results[name]
    if result.unchanged or result.changed:
        return read_with_dead(work, name, said)
    return None
