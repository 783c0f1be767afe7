-- Names with case, quotes, dots, spaces, HTML and SQL in them; the same table in several schemas.
CREATE SCHEMA "Odd.Schema"; CREATE SCHEMA other;
CREATE TABLE "Odd.Schema"."Mixed ""Case""" ("Id" int PRIMARY KEY, "select" text, "id" text, "a.b,c" text);
CREATE TABLE "<script>alert(1)</script>" (id int PRIMARY KEY, "=1+1" text); CREATE TABLE "x; DROP TABLE y; --" (id int PRIMARY KEY);
CREATE TABLE same (id int PRIMARY KEY); CREATE TABLE other.same (id int PRIMARY KEY, v text);
CREATE TABLE "ﬀ 🙂 ünï" ("日本" text PRIMARY KEY); CREATE TABLE "pct %s {0} :name" (id int PRIMARY KEY, ":v" text, "%s" text);
INSERT INTO "Odd.Schema"."Mixed ""Case""" SELECT i, 's' || i, 'i' || i, 'x' FROM generate_series(1, 9) i;
INSERT INTO "<script>alert(1)</script>" SELECT i, '=cmd|x' FROM generate_series(1, 9) i; INSERT INTO "x; DROP TABLE y; --" SELECT generate_series(1, 9);
INSERT INTO same SELECT generate_series(1, 9); INSERT INTO other.same SELECT i, 'v' FROM generate_series(1, 9) i;
INSERT INTO "ﬀ 🙂 ünï" VALUES ('東京'), ('ffi'); INSERT INTO "pct %s {0} :name" SELECT i, ':x', '%(y)s' FROM generate_series(1, 9) i;

CREATE TABLE "new
line" (id int PRIMARY KEY, "a
b" text); INSERT INTO "new
line" SELECT i, 'v' FROM generate_series(1, 9) i; CREATE TABLE "new line" (id int PRIMARY KEY); CREATE TABLE "; Type: TABLE DATA; Schema: x; Owner: " (id int PRIMARY KEY);
