"""What happens to a database: by accident, and because life goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from tests.bulk.world import KEYS, Junction, Parent, World

Statements = Iterator[str]
_NEW_KEY = {
    "serial": "id + 5000",
    "identity": "id + 5000",
    "uuid": "gen_random_uuid()",
    "code": "'new-' || id",
}


@dataclass(frozen=True)
class Event:
    """Something that happens.

    Attributes:
        name: what it is called.
        happens: gives the statements.
        plain: everything that it took comes back, none of it under another key.
        harmless: nothing is lost by it.
    """

    name: str
    happens: Callable[[World, Random], Statements]
    plain: bool = False
    harmless: bool = False


def _some(column: str, random: Random, share: int = 3) -> str:
    """A condition that a part of the rows meets, the same part each time."""
    return f"abs(hashtext({column}::text || '{random.random()}')) % {share} = 0"


def drop_links(world: World, random: Random) -> Statements:
    yield f"DROP TABLE {random.choice(world.junctions).name}"


def empty_links(world: World, random: Random) -> Statements:
    yield f"TRUNCATE {random.choice(world.junctions).name}"


def delete_links(world: World, random: Random) -> Statements:
    junction = random.choice(world.junctions)
    yield f"DELETE FROM {junction.name} t WHERE {_some('t', random)}"


def delete_parents(world: World, random: Random) -> Statements:
    parent = random.choice(world.parents)
    yield f"DELETE FROM {parent.name} WHERE {_some('label', random)}"


def _coded(parent: Parent, code: str) -> tuple[str, str]:
    """A key's column and value for an INSERT, where no default gives one; each with a comma."""
    return ("id, ", f"{code}, ") if parent.key == "code" else ("", "")


def _linking(world: World, parent: Parent) -> list[Junction]:
    return [junction for junction in world.junctions if parent in junction.parents]


def seed_anew(world: World, random: Random) -> Statements:
    """The same rows in another order; what was linked to them is gone, or partly linked anew."""
    parent = random.choice(world.parents)
    linking = _linking(world, parent)
    for junction in linking:
        yield _links_by_label(junction)
    yield f"CREATE TEMP TABLE seeds ON COMMIT DROP AS SELECT * FROM {parent.name}"
    yield f"TRUNCATE {parent.name} RESTART IDENTITY CASCADE"
    column, value = _coded(parent, "'c' || row_number() OVER ()")
    order = f"md5(label || '{random.random()}')"
    yield (
        f"INSERT INTO {parent.name} ({column}label, note, score) "
        f"SELECT {value}label, note, score FROM (SELECT * FROM seeds ORDER BY {order}) s"
    )
    yield from _partly_linked_anew(linking, random)


def _links_by_label(junction: Junction) -> str:
    first, second = junction.columns
    one, other = junction.parents
    return (
        f"CREATE TEMP TABLE was_{junction.name} ON COMMIT DROP AS "
        f"SELECT a.label AS one, b.label AS other FROM {junction.name} j "
        f"JOIN {one.name} a ON a.id = j.{first} JOIN {other.name} b ON b.id = j.{second}"
    )


def _link_again(junction: Junction, which: str) -> str:
    first, second = junction.columns
    one, other = junction.parents
    return (
        f"INSERT INTO {junction.name} ({first}, {second}) SELECT a.id, b.id "
        f"FROM was_{junction.name} w JOIN {one.name} a ON a.label = w.one "
        f"JOIN {other.name} b ON b.label = w.other WHERE {which}"
    )


def _partly_linked_anew(linking: list[Junction], random: Random) -> Statements:
    """Some of the links as they were by their labels, or none."""
    if random.random() < 0.5:
        for junction in linking:
            yield _link_again(junction, _some("a.label || b.label", random, 2))


def import_again(world: World, random: Random) -> Statements:
    """The same rows under new keys, far from the old ones; links are gone, or partly made anew."""
    parent = random.choice(world.parents)
    linking = _linking(world, parent)
    for junction in linking:
        yield _links_by_label(junction)
    yield f"CREATE TEMP TABLE imported ON COMMIT DROP AS SELECT * FROM {parent.name}"
    yield f"DELETE FROM {parent.name}"
    yield (
        f"INSERT INTO {parent.name} (id, label, note, score) "
        f"SELECT {_NEW_KEY[parent.key]}, label, note, score FROM imported"
    )
    yield from _partly_linked_anew(linking, random)


def new_keys(world: World, random: Random) -> Statements:
    """Every row gets another key, and whatever refers to it follows."""
    parent = random.choice(world.parents)
    yield f"UPDATE {parent.name} SET id = {_NEW_KEY[parent.key]}"


def save_again(world: World, random: Random) -> Statements:
    """Links are deleted and inserted anew, as on each save of a form."""
    junction = random.choice(world.junctions)
    first, second = junction.columns
    columns = f"{first}, {second}"
    if junction.shape == "weighted":
        columns += ", position"
    yield f"CREATE TEMP TABLE saved ON COMMIT DROP AS SELECT {columns} FROM {junction.name}"
    yield f"DELETE FROM {junction.name}"
    yield f"INSERT INTO {junction.name} ({columns}) SELECT {columns} FROM saved"


def shuffle(world: World, random: Random) -> Statements:
    """Rows change places: every key means another row, and links go by the key."""
    parent = random.choice(world.parents)
    yield (
        f"CREATE TEMP TABLE places ON COMMIT DROP AS SELECT id, label, note, score, "
        f"row_number() OVER (ORDER BY id) AS n FROM {parent.name}"
    )
    yield f"UPDATE {parent.name} SET label = label || '~'"
    yield (
        f"UPDATE {parent.name} p SET label = b.label, note = b.note, score = b.score "
        "FROM places a, places b "
        "WHERE p.id = a.id AND b.n = 1 + a.n % (SELECT count(*) FROM places)"
    )


def point_elsewhere(world: World, random: Random) -> Statements:
    """Links of a junction with ids of its own lead to other rows under the same id."""
    junction = random.choice(world.junctions)
    if junction.shape != "id":
        return
    second, other = junction.columns[1], junction.parents[1]
    yield (
        f"UPDATE {junction.name} t SET {second} = (SELECT id FROM {other.name} p "
        f"ORDER BY md5(p.id::text || t.id::text) LIMIT 1) WHERE {_some('t', random)}"
    )


def name_taken(world: World, random: Random) -> Statements:
    """A table is dropped with its links, and another one takes its name."""
    parent = random.choice(world.parents)
    for junction in _linking(world, parent):
        yield f"DROP TABLE {junction.name}"
    yield f"DROP TABLE {parent.name} CASCADE"
    yield (
        f"CREATE TABLE {parent.name} (id {KEYS[parent.key]} PRIMARY KEY, "
        "title text NOT NULL, price numeric)"
    )
    column, value = _coded(parent, "'c' || i")
    yield (
        f"INSERT INTO {parent.name} ({column}title, price) "
        f"SELECT {value}'ticker ' || i, i * 3 FROM generate_series(1, {parent.rows}) i"
    )


def add_parents(world: World, random: Random) -> Statements:
    parent = random.choice(world.parents)
    number = random.randint(100, 10_000)
    column, value = _coded(parent, f"'added-{number}'")
    yield (
        f"INSERT INTO {parent.name} ({column}label, note, score) "
        f"VALUES ({value}'added-{number}', 'by the application', 9)"
    )


def add_links(world: World, random: Random) -> Statements:
    junction = random.choice(world.junctions)
    first, second = junction.columns
    one, other = junction.parents
    yield (
        f"INSERT INTO {junction.name} ({first}, {second}) SELECT a.id, b.id "
        f"FROM {one.name} a, {other.name} b WHERE NOT EXISTS (SELECT FROM {junction.name} j "
        f"WHERE j.{first} = a.id AND j.{second} = b.id) "
        f"ORDER BY md5(a.label || b.label || '{random.random()}') LIMIT 2"
    )


def edit(world: World, random: Random) -> Statements:
    parent = random.choice(world.parents)
    yield f"UPDATE {parent.name} SET note = note || '!' WHERE {_some('label', random, 6)}"


HARMFUL = (
    Event("drop links", drop_links, plain=True),
    Event("empty links", empty_links, plain=True),
    Event("delete links", delete_links, plain=True),
    Event("delete parents", delete_parents, plain=True),
    Event("seed anew", seed_anew),
    Event("import again", import_again),
    Event("new keys", new_keys),
    Event("shuffle", shuffle),
    Event("point elsewhere", point_elsewhere),
    Event("name taken", name_taken),
)
ORDINARY = (
    Event("add parents", add_parents, plain=True, harmless=True),
    Event("add links", add_links, plain=True, harmless=True),
    Event("edit", edit, plain=True, harmless=True),
    Event("save again", save_again, harmless=True),
)


SINCE = (
    Event("add parents", add_parents),
    Event("add links", add_links),
    Event("add links", add_links),
    Event("edit", edit),
    Event("delete links", delete_links),
    Event("delete parents", delete_parents),
)


def since(random: Random) -> list[Event]:
    """What the application does between the comparison and the recovery."""
    return random.choices(SINCE, k=random.randint(1, 3))


def events(random: Random) -> list[Event]:
    """What happens: mostly an accident, now and then two, in the middle of ordinary life."""
    happened = [random.choice(ORDINARY) for _ in range(random.randint(0, 2))]
    if random.random() < 0.85:
        happened.append(random.choice(HARMFUL))
        if random.random() < 0.3:
            happened.append(random.choice(HARMFUL))
    random.shuffle(happened)
    return happened
