# ruff: noqa: SIM905 - lists of words read better as text
"""Names for the platform's rows: real cities, everything in them made up."""

from __future__ import annotations

# country code, name, currency, and its cities with latitude, longitude and thousands of inhabitants
COUNTRIES: list[tuple[str, str, str, list[tuple[str, float, float, int | None]]]] = [
    (
        "AR",
        "Argentina",
        "ARS",
        [("Buenos Aires", -34.6, -58.38, 3120), ("Mendoza", -32.89, -68.84, 115)],
    ),
    (
        "BR",
        "Brazil",
        "BRL",
        [("São Paulo", -23.55, -46.63, 11450), ("Florianópolis", -27.6, -48.55, 537)],
    ),
    ("CZ", "Czechia", "CZK", [("Praha", 50.08, 14.43, 1384), ("Český Krumlov", 48.81, 14.32, 13)]),
    (
        "DE",
        "Germany",
        "EUR",
        [
            ("München", 48.14, 11.58, 1510),
            ("Köln", 50.94, 6.96, 1087),
            ("Görlitz", 51.15, 14.99, 57),
        ],
    ),
    ("DK", "Denmark", "DKK", [("København", 55.68, 12.57, 660), ("Århus", 56.16, 10.21, 290)]),
    ("EG", "Egypt", "EGP", [("Aswan", 24.09, 32.9, 380), ("Hurghada", 27.26, 33.81, 230)]),
    (
        "ES",
        "Spain",
        "EUR",
        [
            ("Málaga", 36.72, -4.42, 592),
            ("San Sebastián", 43.32, -1.98, 189),
            ("Cádiz", 36.53, -6.29, 111),
        ],
    ),
    (
        "FR",
        "France",
        "EUR",
        [("Lyon", 45.76, 4.84, 520), ("Besançon", 47.24, 6.02, 119), ("Nîmes", 43.84, 4.36, 148)],
    ),
    ("GE", "Georgia", "GEL", [("თბილისი", 41.72, 44.79, 1260), ("Batumi", 41.64, 41.64, 183)]),
    ("GR", "Greece", "EUR", [("Θεσσαλονίκη", 40.64, 22.94, 319), ("Chania", 35.51, 24.02, 54)]),
    ("HU", "Hungary", "HUF", [("Győr", 47.69, 17.63, 132), ("Pécs", 46.07, 18.23, 140)]),
    ("ID", "Indonesia", "IDR", [("Yogyakarta", -7.8, 110.36, 375), ("Ubud", -8.51, 115.26, None)]),
    ("IN", "India", "INR", [("Udaipur", 24.58, 73.71, 451), ("Kochi", 9.93, 76.27, 677)]),
    ("IS", "Iceland", "ISK", [("Reykjavík", 64.15, -21.94, 136), ("Höfn", 64.25, -15.21, 2)]),
    (
        "JP",
        "Japan",
        "JPY",
        [
            ("東京", 35.68, 139.69, 14100),
            ("京都", 35.01, 135.77, 1440),
            ("Kanazawa", 36.56, 136.66, 460),
        ],
    ),
    ("KE", "Kenya", "KES", [("Mombasa", -4.04, 39.67, 1208), ("Lamu", -2.27, 40.9, 25)]),
    ("KR", "South Korea", "KRW", [("부산", 35.18, 129.08, 3300), ("Jeonju", 35.82, 127.15, 640)]),
    ("MA", "Morocco", "MAD", [("Essaouira", 31.51, -9.77, 78), ("Fès", 34.03, -5.0, 1112)]),
    ("MX", "Mexico", "MXN", [("Mérida", 20.97, -89.62, 921), ("Oaxaca", 17.07, -96.73, 271)]),
    ("NO", "Norway", "NOK", [("Tromsø", 69.65, 18.96, 77), ("Ålesund", 62.47, 6.15, 67)]),
    ("PE", "Peru", "PEN", [("Cusco", -13.53, -71.97, 428), ("Arequipa", -16.41, -71.54, 1008)]),
    (
        "PL",
        "Poland",
        "PLN",
        [("Łódź", 51.76, 19.46, 655), ("Gdańsk", 54.35, 18.65, 486), ("Kraków", 50.06, 19.94, 804)],
    ),
    ("PT", "Portugal", "EUR", [("Évora", 38.57, -7.91, 53), ("Setúbal", 38.52, -8.89, 123)]),
    ("TH", "Thailand", "THB", [("เชียงใหม่", 18.79, 98.98, 127), ("Krabi", 8.09, 98.91, 32)]),
    (
        "TR",
        "Türkiye",
        "TRY",
        [("İzmir", 38.42, 27.14, 2980), ("Şanlıurfa", 37.16, 38.79, 580), ("Kaş", 36.2, 29.64, 9)],
    ),
    ("TW", "Taiwan", "TWD", [("台南", 23.0, 120.21, 1860), ("Hualien", 23.98, 121.6, 99)]),
    ("VN", "Vietnam", "VND", [("Hội An", 15.88, 108.33, 120), ("Đà Lạt", 11.94, 108.46, 258)]),
    (
        "ZA",
        "South Africa",
        "ZAR",
        [("Knysna", -34.04, 23.05, 77), ("Stellenbosch", -33.93, 18.86, 155)],
    ),
]

# what a name that is not written in Latin letters looks like in a URL
ROMANISED = {
    "თბილისი": "tbilisi",
    "Θεσσαλονίκη": "thessaloniki",
    "東京": "tokyo",
    "京都": "kyoto",
    "부산": "busan",
    "เชียงใหม่": "chiang-mai",
    "台南": "tainan",
}

GIVEN_NAMES = (
    "Aiko Amara Anaïs Arjun Beatriz Björn Carla Chiara Daniyar Dilan Eero Elif Emeka Fatima Felix "
    "Giorgi Hana Héctor "
    "Ingrid Iva Jakub Jonas Kemal Lara Leilani Lucía Małgorzata Mateus Mei Minh Nadia Niamh Nikos "
    "Noor Oluwaseun Omar "
    "Paloma Priya Ravi Rosa Sanne Sofía Söğüt Tariq Thu Tomáš Ulla Wanjiru Yael Zoë"
).split()
FAMILY_NAMES = (
    "Abebe Alvarez Andersen Bakker Başaran Bianchi Costa Dąbrowska Dvořák Eriksen Ferreira García "
    "Georgiou Hansen "
    "Horvath Ibrahim Ito Jansen Kamau Kim Kovács Kumar Lefèvre Lindqvist Markovic Mbeki Müller "
    "Nakamura Nguyen Novák "
    "O'Brien Oliveira Öztürk Park Pereira Popescu Quispe Rossi Sørensen Santos Schröder Silva "
    "Suzuki Tan Tkachenko "
    "Torres Wiśniewski Yılmaz Zhang Zimmermann"
).split()

HOTEL_FIRST = (
    "Amber Anchor Arcade Atlas Aurora Baltic Blue Botanic Brass Cedar Central Copper Coral Garden "
    "Granite Green "
    "Harbour Indigo Iris Ivory Jasmine Juniper Lantern Linden Little Magnolia Marble Meridian "
    "Moon Old Olive Opal "
    "Orchard Palm Pearl Quiet Riverside Saffron Silver Stone Sun Tamarind Terrace Velvet White "
    "Willow"
).split()
HOTEL_SECOND = (
    "Boutique Hotel|Courtyard|Gate Hotel|Guest "
    "House|Hostel|Hotel|House|Inn|Lodge|Mill|Palace|Residence|Rooms|Suites|Tower|Wharf "
    "Hotel|Yard"
).split("|")
HOTEL_NATIVE = {
    "BR": ["Pousada da Figueira", "Pousada Sol Nascente", "Hotel Ipê Amarelo"],
    "DE": ["Gasthof Zur Linde", "Hotel Drei Könige", "Pension Schönblick"],
    "JP": ["旅館 花見", "Ryokan Kikuya", "ホテル 桜川"],
    "PL": ["Pensjonat Pod Różą", "Hotel Stary Młyn", "Willa Źródło"],
    "TR": ["Çınar Konağı", "Taş Ev Pansiyon", "Yıldız Otel"],
    "FR": ["Hôtel de la Gare", "Auberge du Vieux Puits", "Hôtel Étoile"],
    "MA": ["Riad Zitoun", "Dar Yasmine", "Riad L'Oasis"],
}
PLACES = {
    "MUSEUM": "Museum of {thing}|House of {thing}|{thing} Collection",
    "PARK": "{thing} Garden|{thing} Park|Park of the {thing}",
    "MARKET": "{thing} Market|Old {thing} Bazaar|{thing} Hall",
    "TEMPLE": "Chapel of the {thing}|{thing} Temple|Mosque of the {thing}",
    "VIEWPOINT": "{thing} Hill|{thing} Tower|{thing} Terrace",
    "BEACH": "{thing} Beach|{thing} Cove|{thing} Bay",
}
THINGS = (
    "Amber Bell Bridge Bronze Carpet Clock Clove Dragon Falcon Fig Fisher Glass Golden Heron "
    "Honey Horse Indigo Iron "
    "Lace Lemon Lion Map Mill Moon Mosaic Nightingale Paper Pearl Pepper Pigeon Pomegranate "
    "Porcelain Rope Rose Salt "
    "Seven Ship Silk Spice Spring Star Swan Tea Thistle Thunder Tile Turtle Violet Well Windmill"
).split()
TOURS = (
    "{city} by bicycle|{city} by night|Street food of {city}|{city} from the water|Markets and "
    "kitchens of {city}|"
    "Photo walk: {thing} quarter of {city}|Day trip to {thing} Valley|Sunrise over {thing} "
    "Hill|Ghosts of {city}|"
    "{city} with children|Pottery class in {thing} Lane|Kayaks to {thing} Cove|{city} rooftops|"
    "Cooking with grandmother, {city}|{thing} trail on foot"
).split("|")
RESTAURANT_FIRST = (
    "Bistro|Café|Casa|Chez|Cantina|Izakaya|La|Lokanta|Mesón|Osteria|Pho|Taverna|The|Trattoria|U|Zur"
).split("|")
CUISINES = (
    "armenian brazilian ethiopian french georgian indian italian japanese korean mexican peruvian "
    "seafood thai turkish vegan"
).split()
SPECIALTIES = (
    "cardiology dentistry dermatology fertility hair-transplant ophthalmology orthopaedics "
    "physiotherapy plastic-surgery wellness"
).split()
PRODUCTS = (
    "Travel pillow|Rain shell|Packing cubes|Power adapter|Water bottle|Money belt|Trekking "
    "poles|Dry bag|Eye mask|"
    "Luggage scale|Sarong|First-aid kit|Head torch|Phrase book|Camera strap"
).split("|")
COLOURS = "amber black blue coral forest grey ivory mustard olive plum red sand teal white".split()
ROOMS = (
    "Single|Double|Twin|Deluxe double|Family room|Junior suite|Dormitory bed|Attic studio".split(
        "|"
    )
)
BEDS = {
    "Single": ["SINGLE"],
    "Twin": ["SINGLE", "SINGLE"],
    "Family room": ["DOUBLE", "BUNK"],
    "Dormitory bed": ["BUNK"],
}
TAGS = (
    "adults only|airport shuttle|bicycles|breakfast included|budget|city centre|design|dogs "
    "welcome|family|garden|"
    "historic building|late checkout|lgbtq+ friendly|near the beach|near the "
    "station|parking|pool|quiet|romantic|"
    "sauna|sea view|self check-in|solo travellers|spa|sustainable|vegan breakfast|wheelchair "
    "access|wifi that works|"
    "with kitchen|workspace"
).split("|")
DESCRIPTIONS = (
    "A short walk from the station, with a courtyard where breakfast is served until eleven.|"
    "Family run since 1974. Rooms at the back are quieter; ask for one.|"
    "Rebuilt from a warehouse: brick, tall windows, good beds.|"
    "Forty steps up from the tram, and the view is worth each of them.|"
    "Simple, clean, friendly.\nNo lift. Luggage is carried up for you.|"
    "Every room looks over the water.\n\nThe kitchen closes at ten.|"
    "Old house, new bathrooms.\tKey box code is sent on the day of arrival.|"
    "Path of the house rules on our share: \\\\files\\rules\\guests.pdf"
).split("|")
REVIEWS = (
    "Would stay again.|Great breakfast, thin walls.|The photos do not do it justice!|Lovely "
    "people, tiny lift.|"
    "Check-in took forever.|Perfect for two nights.|Too warm in August, "
    "otherwise fine.|Très bon accueil.|Çok temizdi.|"
    "Superb! 😀|Room was smaller than in the pictures.|Nada que objetar.|静かで良い宿でした。|"
).split("|")
ALT_TEXTS = (
    "Façade|Lobby|Breakfast room|Room with a view|Pool at dusk|Courtyard|Street "
    "outside|Detail|Terrace|Guests"
).split("|")
AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)|Mozilla/5.0 (Windows NT 10.0; Win64; "
    "x64)|"
    "Mozilla/5.0 (X11; Linux x86_64)|Mozilla/5.0 (Linux; Android 15; Pixel 8)|travel-app/4.12 (ios)"
).split("|")
