#!/usr/bin/env bash
# Django 5.2.19, on SQLite: migrations 0002 and 0003 were applied, then squashed into one; 0004
# depends on 0003, and one `migrate` runs it.
#
# Expected: django_migrations has its rows in the order of the dependencies: the squashed one, which
#           stands for what 0004 depends on and has nothing left to run, before 0004.
# Seen:     0004 is noted first, and the squashed one last, with a later `applied`: it is recorded
#           at the end of the run, though not one statement of it ran, and nothing in its row tells
#           that. `showmigrations --list` shows the order of the dependencies all the same.
#
# Met by:   whoever replays a database's migrations in the order of their rows: the squashed one,
#           whose SQL is that of 0002 and 0003, seems to have run once more, and last. The kit takes
#           it for marked as applied where the last that it stands for is noted, too.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet django==5.2.19
mkdir -p yard/migrations
touch yard/__init__.py yard/migrations/__init__.py
cat >settings.py <<'PYTHON'
SECRET_KEY = "x"
INSTALLED_APPS = ["yard"]
USE_TZ = True
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "yard.sqlite3"}}
PYTHON
migration() {
    cat >"yard/migrations/$1.py" <<PYTHON
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [$2]
    operations = [migrations.RunSQL("$3", "")]
PYTHON
}
admin() {
    PYTHONPATH="$work" "$work/venv/bin/django-admin" "$@" --settings settings
}
migration 0001_boats "" "CREATE TABLE boats (id integer)"
migration 0002_some "('yard', '0001_boats')" "INSERT INTO boats VALUES (1)"
migration 0003_more "('yard', '0002_some')" "INSERT INTO boats VALUES (2)"
admin migrate --verbosity 0
admin squashmigrations yard 0002 0003 --noinput --verbosity 0
migration 0004_last "('yard', '0003_more')" "INSERT INTO boats VALUES (3)"
admin migrate --verbosity 0
admin showmigrations --list
"$work/venv/bin/python" - <<'PYTHON'
import sqlite3

db = sqlite3.connect("yard.sqlite3")
noted = db.execute("SELECT name, applied FROM django_migrations ORDER BY id").fetchall()
boats = [number for (number,) in db.execute("SELECT id FROM boats ORDER BY id")]
for name, applied in noted:
    print(applied, name)
print("boats:", boats)
names = [name for name, _ in noted]
assert boats == [1, 2, 3], "each ran once"
assert names[-2:] == ["0004_last", "0002_some_squashed_0003_more"], "this has changed"
assert noted[-2][1] < noted[-1][1], "this has changed"
PYTHON
echo "As described: the squashed migration is noted last, after the one that depends on it."
