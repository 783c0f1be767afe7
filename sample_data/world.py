"""The platform's rows as they stood when the backup was taken, drawn from a seed.

`World(seed).tables` maps each table, parents before children, to its columns and rows.
Everything follows from the
seed: the same seed gives the same rows in the same order on every machine.
"""

from __future__ import annotations

import hashlib
import json
import random
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from sample_data import words

T = TypeVar("T")

BACKUP_AT = datetime(2026, 1, 1, 3, 0, tzinfo=UTC)
INCIDENT_AT = datetime(2026, 1, 2, 10, 40, 6, 418000, tzinfo=UTC)
LOOKED_AT = datetime(2026, 1, 3, 8, 0, tzinfo=UTC)  # soon after the newest row of live

# All times within are naive and UTC, as Prisma writes them.
_END = BACKUP_AT.replace(tzinfo=None)
_BIRTH = {  # when the migration that made a table went live
    "init": datetime(2025, 2, 10, 10, 0),
    "places": datetime(2025, 3, 3, 16, 0),
    "bookings": datetime(2025, 4, 7, 11, 0),
    "medical": datetime(2025, 5, 19, 11, 0),
    "shop": datetime(2025, 6, 30, 17, 0),
    "catalog": datetime(2025, 8, 18, 13, 0),
    "reviews": datetime(2025, 10, 6, 9, 0),
    "audit": datetime(2025, 11, 3, 17, 0),
}
# How likely somebody is at work, by weekday from Monday and by hour of the day.
_WEEKDAYS = (1.0, 0.95, 0.95, 0.9, 0.8, 0.35, 0.25)
_HOURS = (4, 3, 2, 2, 3, 6, 15, 35, 70, 90, 100, 95, 70, 80, 95, 90, 80, 60, 40, 30, 25, 18, 12, 7)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Gallery(NamedTuple):
    """A junction table between a parent and the media assets.

    `links` is about how many there would be without the cut at the backup. `own` is the share
    of parents that have photographs of their own; the others use stock photographs.
    """

    table: str
    parent: str
    column: str
    links: int
    own: float


GALLERIES = (
    Gallery("hotel_images", "hotels", "hotel_id", 27_000, 0.28),
    Gallery("tour_images", "tours", "tour_id", 10_800, 0.26),
    Gallery("city_place_images", "city_places", "city_place_id", 8_000, 0.30),
    Gallery("restaurant_images", "restaurants", "restaurant_id", 7_400, 0.35),
    Gallery("product_images", "products", "product_id", 4_100, 0.45),
    Gallery("medical_images", "medical_centers", "medical_center_id", 2_500, 0.40),
    Gallery("city_images", "cities", "city_id", 2_000, 0.35),
    Gallery("transport_images", "transport_products", "transport_product_id", 1_800, 0.10),
    Gallery("esim_images", "esim_plans", "esim_plan_id", 720, 0.05),
)


@dataclass
class Rows:
    """A table's columns and its rows in the order in which they are written."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]] = field(default_factory=list)

    def add(self, *values: Any) -> None:
        """Append a row, its values in the order of the columns."""
        self.rows.append(values)

    def column(self, name: str) -> list[Any]:
        """The values of one column."""
        at = self.columns.index(name)
        return [row[at] for row in self.rows]

    def sort(self, by: str) -> None:
        """Put the rows in the order of one column, which stands for when they were written."""
        at = self.columns.index(by)
        self.rows.sort(key=lambda row: row[at])


def copy_text(value: Any) -> str:
    """Return `value` as a field of COPY's text format."""
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds")
    if isinstance(value, list):
        text = (
            "{"
            + ",".join(
                str(v) if isinstance(v, int) else json.dumps(v, ensure_ascii=False) for v in value
            )
            + "}"
        )
    elif isinstance(value, dict):
        text = json.dumps(value, ensure_ascii=False)
    else:
        text = str(value)
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def slug(name: str) -> str:
    """Return `name` as it stands in a URL: lower case, ASCII, hyphens."""
    for native, latin in words.ROMANISED.items():
        name = name.replace(native, latin)
    special: dict[str, int | str | None] = {
        "ł": "l",
        "Ł": "L",
        "\u0131": "i",
        "ø": "o",
        "Ø": "O",
        "đ": "d",
        "Đ": "D",
    }
    name = name.translate(str.maketrans(special))
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(c if c.isalnum() else " " for c in plain).split())


class World:
    """All tables of the platform but the migration history.

    Args:
        seed: decides every value.
    """

    def __init__(self, seed: int = 20260102) -> None:
        self._random = random.Random(seed)
        self._count = 0
        self.tables: dict[str, Rows] = {}
        self._people()
        self._cities()
        self._hotels()
        self._places_and_tours()
        self._restaurants_and_medical()
        self._shop()
        self._galleries()
        self._bookings()
        self._orders()
        self._external()
        self._activity()

    # --- what every part needs ---------------------------------------------------------------

    def _table(self, name: str, columns: str) -> Rows:
        self.tables[name] = Rows(tuple(columns.split()))
        return self.tables[name]

    def _moment(self, start: datetime, end: datetime = _END, growth: float = 0.7) -> datetime:
        """A moment at which somebody works; `growth` below 1 makes late ones more likely."""
        while True:
            share: float = self._random.random() ** growth
            at = start + (end - start) * share
            holiday = 0.4 if (at.month, at.day) >= (12, 24) or (at.month, at.day) == (1, 1) else 1.0
            if self._random.random() < holiday * _WEEKDAYS[at.weekday()] * _HOURS[at.hour] / 100:
                return at.replace(microsecond=at.microsecond // 1000 * 1000)

    def _moments(self, count: int, start: datetime, growth: float = 0.7) -> list[datetime]:
        return sorted(self._moment(start, growth=growth) for _ in range(count))

    def _later(self, at: datetime, most: timedelta, least: timedelta = timedelta(0)) -> datetime:
        """A moment soon after `at`, and before the backup."""
        later = at + least + (most - least) * self._random.random()
        return min(
            later.replace(microsecond=later.microsecond // 1000 * 1000), _END - timedelta(seconds=1)
        )

    def _cuid(self, at: datetime) -> str:
        """An id as Prisma's cuid() makes one: time, counter, the server's fingerprint, noise."""
        self._count += 1
        stamp = _base36(int(at.replace(tzinfo=UTC).timestamp() * 1000), 8)
        server = "qs1k" if self._count % 3 else "qs1z"
        return (
            f"c{stamp}{_base36(self._count, 4)}{server}{_base36(self._random.randrange(36**8), 8)}"
        )

    def _price(self, low: int, high: int) -> Decimal:
        return Decimal(self._random.randrange(low, high)) + Decimal(
            self._random.choice(("0.00", "0.50", "0.90", "0.99"))
        )

    def _unique(self, taken: dict[str, int], name: str) -> str:
        """`name`, with a number where it was used before."""
        taken[name] = taken.get(name, 0) + 1
        return name if taken[name] == 1 else f"{name} {taken[name]}"

    def _skewed(self, items: Sequence[T], steepness: float = 2.5) -> T:
        """One of `items`, the early ones far more often than the late ones."""
        return items[int(len(items) * self._random.random() ** steepness)]

    # --- the tables --------------------------------------------------------------------------

    def _people(self) -> None:
        users = self._table("users", "id email name role locale preferences created_at updated_at")
        pick = self._random
        taken: dict[str, int] = {}
        for n, at in enumerate(self._moments(1_400, _BIRTH["init"])):
            name = f"{pick.choice(words.GIVEN_NAMES)} {pick.choice(words.FAMILY_NAMES)}"
            mail = self._unique(taken, slug(name).replace("-", ".")).replace(" ", "")
            role = (
                "ADMIN"
                if n < 3
                else "EDITOR"
                if n < 18
                else "PARTNER"
                if pick.random() < 0.06
                else "TRAVELLER"
            )
            likes = {
                "currency": pick.choice(("EUR", "USD", "TRY")),
                "newsletter": pick.random() < 0.4,
            }
            locale = pick.choice(("en", "en", "de", "es", "fr", "ja", "pl", "pt-BR", "tr"))
            changed = self._later(at, timedelta(days=60)) if pick.random() < 0.4 else at
            domain = pick.choice(("example.com", "example.org", "mail.example"))
            preferences = likes if pick.random() < 0.7 else None
            users.add(
                self._cuid(at), f"{mail}@{domain}", name, role, locale, preferences, at, changed
            )
        self._users = users.column("id")
        self._editors = self._users[3:18]
        sessions = self._table("sessions", "id user_id user_agent last_seen_at expires_at")
        for at in self._moments(650, datetime(2025, 12, 2), growth=0.9):
            seen = self._later(at, timedelta(days=3))
            agent = pick.choice(words.AGENTS) if pick.random() < 0.95 else None
            sessions.add(
                self._cuid(at),
                pick.choice(self._users),
                agent,
                _utc(seen),
                _utc(at + timedelta(days=30)),
            )
        settings = self._table("settings", "key value updated_at")
        for key, value in (
            ("checkout.currencies", {"allowed": ["EUR", "USD", "TRY", "JPY"]}),
            ("gallery.max_images", {"hotels": 250, "tours": 150}),
            ("maintenance", {"enabled": False}),
            ("search.providers", {"active": ["bookdirect", "roomhub"], "timeout_ms": 2500}),
        ):
            settings.add(key, value, _utc(self._moment(_BIRTH["init"])))

    def _cities(self) -> None:
        countries = self._table("countries", "code name currency")
        cities = self._table(
            "cities",
            "id country_code name slug latitude longitude population created_at updated_at",
        )
        found = []
        for code, name, currency, towns in words.COUNTRIES:
            countries.add(code, name, currency)
            found += [(code, *town) for town in towns]
        self._random.shuffle(found)
        start = _BIRTH["init"]
        for at, (code, town, north, east, thousands) in zip(
            self._moments(len(found), start, growth=1.6), found, strict=True
        ):
            people = thousands * 1000 if thousands else None
            cities.add(
                self._cuid(at),
                code,
                town,
                slug(town),
                north,
                east,
                people,
                at,
                self._later(at, timedelta(days=90)),
            )
        at_city = (cities.column(c) for c in ("id", "country_code", "name", "created_at"))
        self._towns: list[tuple[str, str, str, datetime]] = list(zip(*at_city, strict=True))

    def _town(self, at: datetime) -> tuple[str, str, str]:
        """A city that exists at `at`, the first ones more often: its id, country and name."""
        return self._skewed([t[:3] for t in self._towns if t[3] < at] or [self._towns[0][:3]], 1.8)

    def _hotels(self) -> None:
        hotels = self._table(
            "hotels",
            "id city_id name slug stars description address price_from rating status created_at "
            "updated_at amenity_codes",
        )
        pick = self._random
        names: dict[str, int] = {}
        slugs: dict[str, int] = {}
        for at in self._moments(1_150, self._towns[0][3] + timedelta(hours=1)):
            city, country, town = self._town(at)
            native = words.HOTEL_NATIVE.get(country)
            if native and pick.random() < 0.25:
                name = f"{pick.choice(native)}, {town}"
            else:
                name = f"{pick.choice(words.HOTEL_FIRST)} {pick.choice(words.HOTEL_SECOND)} {town}"
            path = self._unique(slugs, slug(name)).replace(" ", "-")
            name = self._unique(names, name)
            stars = pick.choice((None, 2, 3, 3, 4, 4, 5))
            address = {
                "street": f"{pick.choice(words.THINGS)} Street {pick.randrange(1, 180)}",
                "city": town,
            }
            codes = sorted(pick.sample(range(10, 40), pick.randrange(0, 7)))
            status = (
                "DRAFT"
                if pick.random() < 0.06
                else "ARCHIVED"
                if pick.random() < 0.04
                else "PUBLISHED"
            )
            description = pick.choice(words.DESCRIPTIONS) if pick.random() < 0.8 else None
            hotels.add(
                self._cuid(at),
                city,
                name,
                path,
                stars,
                description,
                address,
                self._price(28, 420) if pick.random() < 0.93 else None,
                round(pick.uniform(2.8, 5.0), 1),
                status,
                at,
                self._later(at, timedelta(days=120)),
                codes,
            )
        rooms = self._table("hotel_rooms", "id hotel_id name capacity price bed_types created_at")
        for row in hotels.rows:
            for kind in pick.sample(words.ROOMS, pick.choice((0, 1, 1, 2, 2, 3))):
                at = self._later(row[10], timedelta(hours=5))
                beds = words.BEDS.get(kind, ["DOUBLE"])
                rooms.add(
                    self._cuid(at), row[0], kind, len(beds) * 2, self._price(25, 480), beds, at
                )
        rooms.sort("created_at")
        tags = self._table("tags", "id name")
        for n, tag in enumerate(words.TAGS, 1):
            tags.add(n, tag)
        tagged = self._table("_HotelToTag", "A B")
        for row in hotels.rows:
            wanted = pick.choices(range(11), (8, 10, 14, 16, 16, 12, 9, 6, 4, 3, 2))[0]
            chosen: list[int] = []
            while len(chosen) < wanted:
                tag_id = self._skewed(tags.column("id"), 1.6)
                if tag_id not in chosen:
                    chosen.append(tag_id)
            for tag_id in chosen:
                tagged.add(row[0], tag_id)

    def _places_and_tours(self) -> None:
        pick = self._random
        places = self._table(
            "city_places", "id city_id name category opening_hours created_at updated_at"
        )
        for at in self._moments(620, _BIRTH["places"]):
            city, _, _ = self._town(at)
            category = pick.choice(list(words.PLACES))
            name = pick.choice(words.PLACES[category].split("|")).format(
                thing=pick.choice(words.THINGS)
            )
            hours = {"mon-fri": "09:00-18:00", "sun": None} if pick.random() < 0.5 else None
            places.add(
                self._cuid(at), city, name, category, hours, at, self._later(at, timedelta(days=40))
            )
        tours = self._table(
            "tours",
            "id city_id title slug summary duration_minutes price languages status created_at "
            "updated_at",
        )
        taken: dict[str, int] = {}
        for at in self._moments(460, _BIRTH["places"]):
            city, _, town = self._town(at)
            title = pick.choice(words.TOURS).format(city=town, thing=pick.choice(words.THINGS))
            title = self._unique(taken, title)
            summary = f"Small groups, local guides. Meet at {pick.choice(words.THINGS)} Square."
            languages = sorted(
                pick.sample(("de", "en", "es", "fr", "it", "ja", "pt", "tr"), pick.randrange(1, 4))
            )
            tours.add(
                self._cuid(at),
                city,
                title,
                slug(title),
                summary if pick.random() < 0.7 else None,
                pick.choice((90, 120, 150, 180, 240, 480)),
                self._price(12, 190),
                languages,
                "DRAFT" if pick.random() < 0.08 else "PUBLISHED",
                at,
                self._later(at, timedelta(days=50)),
            )
        departures = self._table("tour_departures", "tour_id departs_at seats seats_left")
        for row in tours.rows:
            first = row[9].replace(
                hour=pick.choice((7, 9, 10, 17)), minute=0, second=0, microsecond=0
            )
            for n in range(1, pick.randrange(2, 6)):
                seats = pick.choice((8, 10, 12, 16))
                departures.add(
                    row[0],
                    _utc(first + timedelta(days=n * 14)),
                    seats,
                    pick.randrange(0, seats + 1),
                )

    def _restaurants_and_medical(self) -> None:
        pick = self._random
        start = _BIRTH["medical"]
        restaurants = self._table(
            "restaurants", "id city_id name cuisines price_level rating created_at updated_at"
        )
        for at in self._moments(520, start):
            city, _, _ = self._town(at)
            name = (
                f"{pick.choice(words.RESTAURANT_FIRST)} "
                f"{pick.choice(words.THINGS + words.FAMILY_NAMES)}"
            )
            kinds = pick.sample(words.CUISINES, pick.choice((1, 1, 2)))
            rating = round(pick.uniform(2.5, 5), 2) if pick.random() < 0.8 else None
            changed = self._later(at, timedelta(days=70))
            restaurants.add(
                self._cuid(at), city, name, kinds, pick.randrange(1, 5), rating, at, changed
            )
        centers = self._table(
            "medical_centers", "id city_id name specialties created_at updated_at"
        )
        services = self._table("medical_services", "id medical_center_id name price")
        for at in self._moments(110, start):
            city, _, town = self._town(at)
            skills = sorted(pick.sample(words.SPECIALTIES, pick.randrange(1, 4)))
            key = self._cuid(at)
            name = f"{pick.choice(words.FAMILY_NAMES)} Clinic {town}"
            centers.add(key, city, name, skills, at, self._later(at, timedelta(days=30)))
            for skill in skills:
                price = self._price(60, 4_000) if pick.random() < 0.8 else None
                services.add(
                    len(services.rows) + 1, key, f"{skill.capitalize()} consultation", price
                )

    def _shop(self) -> None:
        pick = self._random
        start = _BIRTH["shop"]
        products = self._table(
            "products", "id name sku price stock attributes created_at updated_at"
        )
        for n, at in enumerate(self._moments(240, start)):
            colour, size = pick.choice(words.COLOURS), pick.choice((None, "S", "M", "L"))
            name = f"{pick.choice(words.PRODUCTS)}, {colour}" + (f", {size}" if size else "")
            sku = f"TR-{n + 1000}-{colour[:3].upper()}"
            changed = self._later(at, timedelta(days=60))
            traits = {"colour": colour, "size": size}
            products.add(
                self._cuid(at),
                name,
                sku,
                self._price(6, 120),
                pick.randrange(0, 400),
                traits,
                at,
                changed,
            )
        plans = self._table(
            "esim_plans", "id country_code name data_mb validity_days price created_at updated_at"
        )
        for at in self._moments(130, start, growth=1.5):
            code, country, _, _ = pick.choice(words.COUNTRIES)
            gigabytes, days = pick.choice(((1, 7), (3, 15), (5, 30), (10, 30), (20, 30)))
            name = f"{country} {gigabytes} GB / {days} days"
            plans.add(
                self._cuid(at), code, name, gigabytes * 1024, days, self._price(4, 60), at, at
            )
        transport = self._table(
            "transport_products", "id city_id name kind price created_at updated_at"
        )
        shapes = {
            "AIRPORT_TRANSFER": "Airport transfer, {}",
            "CAR": "Small car, {}",
            "FERRY": "Ferry from {}",
            "RAIL_PASS": "{} rail pass",
        }
        for at in self._moments(170, start):
            city, _, town = self._town(at)
            kind = pick.choice(list(shapes))
            transport.add(
                self._cuid(at), city, shapes[kind].format(town), kind, self._price(9, 150), at, at
            )

    def _galleries(self) -> None:
        """The media assets and the nine junction tables between them and their parents."""
        assets = self._table(
            "media_assets", "id url kind width height bytes alt_text uploaded_by_id created_at"
        )
        stock = [
            self._asset(assets, "stock", at)
            for at in self._moments(420, _BIRTH["init"], growth=1.4)
        ]
        for gallery in GALLERIES:
            parents = self.tables[gallery.parent]
            links = self._table(
                gallery.table, f"id {gallery.column} asset_id sort_order is_primary created_at"
            )
            made = parents.columns.index("created_at")
            at_slug = parents.columns.index("slug") if "slug" in parents.columns else None
            # No gallery at all for a tenth, and a long tail for the rest.
            weights = [
                0.0 if self._random.random() < 0.1 else self._random.lognormvariate(0, 1.1)
                for _ in parents.rows
            ]
            scale = gallery.links / sum(weights)
            for row, weight in zip(parents.rows, weights, strict=True):
                size = min(round(weight * scale), 260)
                folder = (
                    f"{gallery.parent}/{row[at_slug]}" if at_slug is not None else gallery.parent
                )
                own = self._random.random() < gallery.own
                self._fill(links, row[0], row[made], size, assets if own else stock, folder)
            links.sort("created_at")
        assets.sort("created_at")

    def _asset(self, assets: Rows, folder: str, at: datetime) -> str:
        pick = self._random
        key = self._cuid(at)
        video = pick.random() < 0.01
        url = f"https://cdn.example/{folder}/{key[-12:]}.{'mp4' if video else 'jpg'}"
        width, height = pick.choice(
            ((1600, 1067), (1600, 1067), (2048, 1365), (1080, 1350), (1920, 1080))
        )
        alt = pick.choice(words.ALT_TEXTS) if pick.random() < 0.3 else None
        editor = self._skewed(self._editors)
        assets.add(
            key,
            url,
            "VIDEO" if video else "IMAGE",
            width,
            height,
            pick.randrange(4, 60) * 16_384,
            alt,
            editor,
            at,
        )
        return key

    def _fill(
        self,
        links: Rows,
        parent: str,
        made: datetime,
        size: int,
        source: Rows | list[str],
        folder: str,
    ) -> None:
        """Give `parent` a gallery of `size` images.

        Most come in one go soon after it was made, some later.

        The images of one go are uploaded one after the other and linked in one statement, at
        one time. What would have come after the backup is left out.
        """
        pick = self._random
        used: dict[str, None] = {}
        planned = 0
        while planned < size:
            first = planned == 0
            batch = round(size * pick.uniform(0.5, 0.9)) if first else pick.randrange(1, 7)
            batch = min(max(1, batch), size - planned)
            planned += batch
            at = self._moment(made, made + timedelta(days=3 if first else 240), growth=1.3)
            if at > _END - timedelta(minutes=5):
                if first:
                    return
                continue
            chosen: list[str] = []
            for _ in range(batch):
                if isinstance(source, Rows):
                    at = self._later(at, timedelta(milliseconds=900), timedelta(milliseconds=40))
                    asset = self._asset(source, folder, at)
                else:
                    asset = self._skewed(source, 3.0)
                    while asset in used:
                        asset = pick.choice(source)
                used[asset] = None
                chosen.append(asset)
            at = self._later(at, timedelta(seconds=4), timedelta(milliseconds=300))
            for order, asset in enumerate(chosen, len(used) - len(chosen)):
                links.add(
                    self._cuid(at), parent, asset, order, order == 0 and pick.random() < 0.92, at
                )

    def _bookings(self) -> None:
        pick = self._random
        start = _BIRTH["bookings"]
        rooms = [(r[1], r[0], r[4], r[6]) for r in self.tables["hotel_rooms"].rows]
        bookings = self._table(
            "hotel_bookings",
            "id user_id hotel_id room_id check_in check_out guests total currency status "
            "created_at updated_at",
        )
        payments = self._table(
            "payments",
            "id hotel_booking_id tour_booking_id provider_ref amount currency status created_at "
            "order_id",
        )
        for at in self._moments(700, start):
            hotel, room, price, made = self._skewed(rooms, 1.5)
            if made > at:
                continue
            arrival, nights = (
                at.date() + timedelta(days=pick.randrange(1, 90)),
                pick.randrange(1, 8),
            )
            status = pick.choices(("CONFIRMED", "PENDING", "CANCELLED"), (80, 8, 12))[0]
            key, user, currency = (
                self._cuid(at),
                pick.choice(self._users),
                pick.choice(("EUR", "USD", "TRY")),
            )
            bookings.add(
                key,
                user,
                hotel,
                room,
                arrival,
                arrival + timedelta(days=nights),
                pick.randrange(1, 5),
                price * nights,
                currency,
                status,
                at,
                self._later(at, timedelta(days=4)),
            )
            if status != "PENDING":
                paid = "REFUNDED" if status == "CANCELLED" else "CAPTURED"
                self._payment(payments, (key, None), price * nights, currency, paid, at)
        tour_bookings = self._table(
            "tour_bookings", "id user_id tour_id departs_at seats total status created_at"
        )
        departures = self.tables["tour_departures"].rows
        prices = {r[0]: r[6] for r in self.tables["tours"].rows}
        for tour, departs_at, _, _ in departures:
            at = departs_at.replace(tzinfo=None) - timedelta(
                days=pick.randrange(1, 12), minutes=pick.randrange(600)
            )
            if not start < at < _END or pick.random() < 0.5:
                continue
            seats = pick.randrange(1, 5)
            key = self._cuid(at)
            tour_bookings.add(
                key,
                pick.choice(self._users),
                tour,
                departs_at,
                seats,
                prices[tour] * seats,
                "CONFIRMED",
                at,
            )
            self._payment(payments, (None, key), prices[tour] * seats, "EUR", "CAPTURED", at)
        tour_bookings.sort("created_at")
        codes = self._table("promo_codes", "code percent valid_until used")
        for code, percent, until, used in (
            ("WELCOME10", 10, None, 214),
            ("SUMMER25", 25, date(2025, 9, 1), 88),
            ("ESIM5", 5, date(2026, 3, 31), 41),
            ("NEWYEAR26", 26, date(2026, 1, 6), 3),
        ):
            codes.add(code, percent, until, used)

    def _payment(
        self,
        payments: Rows,
        booking: tuple[str | None, str | None],
        amount: Decimal,
        currency: str,
        status: str,
        at: datetime,
        order: str | None = None,
    ) -> None:
        at = self._later(at, timedelta(minutes=9))
        reference = f"pay_{_base36(self._random.randrange(36**8), 8)}"
        payments.add(self._cuid(at), *booking, reference, amount, currency, status, _utc(at), order)

    def _orders(self) -> None:
        pick = self._random
        products = [(r[0], r[3]) for r in self.tables["products"].rows]
        plans = [(r[0], r[5]) for r in self.tables["esim_plans"].rows]
        orders = self._table("orders", "id user_id status total promo_code placed_at")
        items = self._table(
            "order_items", "order_id line_no product_id esim_plan_id quantity unit_price"
        )
        for at in self._moments(420, _BIRTH["shop"] + timedelta(days=8)):
            key, total = self._cuid(at), Decimal(0)
            for line in range(1, pick.choice((2, 2, 2, 3, 4))):
                plan = pick.random() < 0.4
                thing, price = pick.choice(plans if plan else products)
                quantity = pick.choice((1, 1, 1, 2))
                items.add(
                    key, line, None if plan else thing, thing if plan else None, quantity, price
                )
                total += price * quantity
            placed = None if pick.random() < 0.1 else _utc(at)
            status = (
                pick.choices(("PLACED", "SHIPPED", "RETURNED"), (30, 65, 5))[0]
                if placed
                else "CART"
            )
            code = pick.choice(("WELCOME10", "ESIM5")) if pick.random() < 0.2 else None
            orders.add(key, pick.choice(self._users), status, total, code, placed)
            if placed:
                self._payment(
                    self.tables["payments"], (None, None), total, "EUR", "CAPTURED", at, key
                )
        self.tables["payments"].sort("created_at")
        self.tables["payments"] = self.tables.pop("payments")  # after the orders that it refers to

    def _external(self) -> None:
        pick = self._random
        items = self._table(
            "external_catalog_items",
            "id provider external_id title payload price created_at updated_at",
        )
        for n, at in enumerate(self._moments(1_100, _BIRTH["catalog"])):
            name = f"{pick.choice(words.HOTEL_FIRST)} {pick.choice(words.HOTEL_SECOND)}"
            changed = self._moment(at) if pick.random() < 0.83 else None
            payload = {"rooms": pick.randrange(4, 120), "score": round(pick.uniform(5, 9.8), 1)}
            price = self._price(30, 400) if pick.random() < 0.9 else None
            provider = pick.choice(("bookdirect", "roomhub"))
            items.add(
                self._cuid(at),
                provider,
                f"{provider[0]}{n + 50_000}",
                name,
                payload,
                price,
                at,
                changed,
            )
        cache = self._table(
            "external_search_cache",
            "id source query_hash query_json results_json hits created_at expires_at",
        )
        for at in self._moments(480, datetime(2025, 12, 28, 6), growth=0.5):
            town = pick.choice(self._towns)[2]
            arrival = at.date() + timedelta(days=pick.randrange(2, 100))
            query = {"city": town, "check_in": arrival.isoformat(), "guests": pick.randrange(1, 5)}
            key = self._cuid(at)
            old_client = pick.random() < 0.09
            failed = pick.random() < 0.12
            results = [f"b{pick.randrange(50_000, 51_100)}" for _ in range(pick.randrange(0, 5))]
            cache.add(
                key,
                pick.choice(("bookdirect", "roomhub")),
                hashlib.md5(key.encode(), usedforsecurity=False).hexdigest(),
                None if old_client else query,
                None if failed else {"ids": results},
                self._skewed(range(40)),
                at,
                _utc(at + timedelta(days=4)),
            )
        rates = self._table("exchange_rates", "base quote day rate")
        levels = {"USD": 1.16, "TRY": 48.9, "JPY": 178.2, "GBP": 0.87, "PLN": 4.25}
        for back in range(60, -1, -1):
            for quote in levels:
                levels[quote] *= pick.uniform(0.996, 1.004)
                rates.add("EUR", quote, _END.date() - timedelta(days=back), f"{levels[quote]:.8f}")

    def _activity(self) -> None:
        pick = self._random
        hotels = self.tables["hotels"].column("id")
        start = _BIRTH["reviews"]
        reviews = self._table("reviews", "id user_id hotel_id rating body created_at")
        for at in self._moments(800, start):
            hotel = self._skewed(hotels)
            reviews.add(
                self._cuid(at),
                pick.choice(self._users),
                hotel,
                pick.randrange(1, 6),
                pick.choice(words.REVIEWS),
                at,
            )
        favorites = self._table("favorites", "user_id entity_type entity_id created_at")
        kinds = {
            "HOTEL": "hotels",
            "TOUR": "tours",
            "RESTAURANT": "restaurants",
            "CITY_PLACE": "city_places",
        }
        liked: dict[tuple[str, str], None] = {}
        for at in self._moments(1_500, start):
            kind = self._skewed(list(kinds))
            user, thing = (
                self._skewed(self._users),
                self._skewed(self.tables[kinds[kind]].column("id")),
            )
            if (user, thing) not in liked:
                liked[user, thing] = None
                favorites.add(user, kind, thing, at)
        notifications = self._table("notifications", "id user_id kind payload read_at created_at")
        for at in self._moments(600, start):
            kind = pick.choice(
                ("booking.confirmed", "price.drop", "review.request", "security.new_login")
            )
            read = _utc(self._later(at, timedelta(days=2))) if pick.random() < 0.6 else None
            payload = {"hotelId": self._skewed(hotels)} if kind != "security.new_login" else {}
            notifications.add(
                self._cuid(at), pick.choice(self._users), kind, payload, read, _utc(at)
            )
        audit = self._table("audit_logs", "id actor_id action entity entity_id diff at")
        for n, at in enumerate(self._moments(900, _BIRTH["audit"]), 1):
            actor = pick.choice(self._editors) if pick.random() < 0.9 else None
            diff = {"status": ["DRAFT", "PUBLISHED"]} if pick.random() < 0.3 else None
            audit.add(
                n,
                actor,
                pick.choice(("update", "publish", "reorder")),
                "hotel",
                self._skewed(hotels),
                diff,
                _utc(at),
            )

    def copy_script(self) -> Iterable[str]:
        """The rows as a script of COPY statements for psql, table by table."""
        for name, table in self.tables.items():
            columns = ", ".join(f'"{c}"' for c in table.columns)
            yield f'COPY "{name}" ({columns}) FROM stdin;\n'
            for row in table.rows:
                yield "\t".join(map(copy_text, row)) + "\n"
            yield "\\.\n"


def _utc(at: datetime) -> datetime:
    """`at` with its offset, for columns that have a time zone."""
    return at.replace(tzinfo=UTC)


def _base36(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
