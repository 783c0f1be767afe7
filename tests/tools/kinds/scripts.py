"""Ruby's and PHP's, as Debian has them."""

from __future__ import annotations

from pathlib import Path

from tests.tools import fetched
from tests.tools.driven import Driven, Step


class Rails(Driven):
    """Its files are Ruby; what they ran is kept as SQL of the same name."""

    name, case, version = "Rails", "rails", "6.1.7"

    @classmethod
    def fetch(cls) -> None:
        fetched.debian("ruby", "ruby-activerecord", "ruby-pg")

    def write(self, step: Step) -> None:
        def body(statements: tuple[str, ...]) -> str:
            return "".join(f"    execute {one!r}\n" for one in statements)

        called = f"{step.day}_{step.name}"
        self.sql(
            f"code/{called}.rb",
            f"class {step.name.capitalize()} < ActiveRecord::Migration[6.1]\n"
            f"  def up\n{body(step.up)}  end\n  def down\n{body(step.down)}  end\nend\n",
        )
        self.sql(f"migrations/{called}.sql", step.text)

    def _rails(self, what: str) -> bool:
        self.sql(
            "run.rb",
            "require 'active_record'\nActiveRecord::Base.establish_connection(ARGV[1])\n"
            "there = ActiveRecord::MigrationContext.new('code', ActiveRecord::SchemaMigration)\n"
            "ARGV[0] == 'up' ? there.migrate : there.rollback(1)\n",
        )
        return self.run(["ruby", "run.rb", what, self.place.url]).returncode == 0

    def up(self) -> bool:
        return self._rails("up")

    def back(self, step: Step) -> bool:
        return self._rails("down")


class Laravel(Driven):
    """Its files are PHP; what they ran is kept as SQL of the same name."""

    name, case, version = "Laravel", "laravel", "8.83"

    @classmethod
    def fetch(cls) -> None:
        fetched.debian("php", "php-cli", "php-pgsql", "php-illuminate-database")
        fetched.debian("php", "php-illuminate-filesystem", "php-illuminate-events")

    def write(self, step: Step) -> None:
        def body(statements: tuple[str, ...]) -> str:
            calls = [f"Capsule::connection()->statement({one!r});" for one in statements]
            return " ".join(calls)

        called = f"2026_01_{step.number:02}_000000_{step.name}"
        self.sql(
            f"code/{called}.php",
            "<?php\nuse Illuminate\\Database\\Capsule\\Manager as Capsule;\n"
            "use Illuminate\\Database\\Migrations\\Migration;\n"
            f"class {step.name.capitalize()} extends Migration {{\n"
            f"  function up() {{ {body(step.up)} }}\n"
            f"  function down() {{ {body(step.down)} }}\n}}\n",
        )
        self.sql(f"migrations/{called}.sql", step.text)

    def _laravel(self, what: str) -> bool:
        at = self.place
        there = (
            f"'driver' => 'pgsql', 'host' => '{at.host}', 'port' => {at.port}, "
            f"'database' => '{at.database}', 'username' => '{at.user}', 'password' => 'none', "
            "'charset' => 'utf8', 'prefix' => '', 'schema' => 'public'"
        )
        self.sql(
            "run.php",
            "<?php\nrequire_once 'Illuminate/Database/autoload.php';\n"
            "require_once 'Illuminate/Filesystem/autoload.php';\n"
            "require_once 'Illuminate/Events/autoload.php';\n"
            "use Illuminate\\Database\\Capsule\\Manager as Capsule;\n"
            f"$capsule = new Capsule; $capsule->addConnection([{there}]);\n"
            "$capsule->setAsGlobal(); $db = $capsule->getDatabaseManager();\n"
            "$kept = new Illuminate\\Database\\Migrations\\DatabaseMigrationRepository("
            "$db, 'migrations');\n"
            "if (!$kept->repositoryExists()) $kept->createRepository();\n"
            "$it = new Illuminate\\Database\\Migrations\\Migrator($kept, $db, "
            "new Illuminate\\Filesystem\\Filesystem, new Illuminate\\Events\\Dispatcher);\n"
            "$argv[1] === 'up' ? $it->run(['code'], ['step' => true]) : "
            "$it->rollback(['code'], ['step' => 1]);\n",
        )
        return self.run(["php", "run.php", what]).returncode == 0

    def up(self) -> bool:
        return self._laravel("up")

    def back(self, step: Step) -> bool:
        return self._laravel("down")


KINDS = (Rails, Laravel)
assert Path
