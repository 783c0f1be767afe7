"""Tools of other languages, as Debian has them; what their files run is kept as SQL beside them."""

from __future__ import annotations

import json

from tests.tools import fetched
from tests.tools.driven import Driven, Step


class Interpreted(Driven):
    """`run.EXT` is given a way, the database, and perhaps a migration."""

    packages: tuple[str, ...]
    program: tuple[str, ...]
    script: str

    @classmethod
    def fetch(cls) -> None:
        fetched.debian(cls.program[0], *cls.packages)

    def _do(self, what: str, *more: str) -> bool:
        script = self.sql(f"run.{self.program[0]}", self.script)
        at = self.place
        where = (at.host, str(at.port), at.database, at.user)
        return self.run([*self.program, script, what, *where, *more]).returncode == 0

    def up(self) -> bool:
        return self._do("up")

    def back(self, step: Step) -> bool:
        return self._do("down")


class Rails(Interpreted):
    """Active Record without the rest; `schema:load` is what marks as run."""

    name, case, version = "Rails", "rails", "6.1.7"
    packages = ("ruby-activerecord", "ruby-pg")
    program = ("ruby",)
    marks = True
    script = """
    require 'logger'; require 'active_record'
    way, host, port, database, user, version = ARGV
    ActiveRecord::Base.establish_connection(adapter: 'postgresql', host: host, port: port,
        database: database, username: user, password: 'none')
    ActiveRecord::Migrator.migrations_paths = ['code']
    context = ActiveRecord::MigrationContext.new('code', ActiveRecord::SchemaMigration)
    case way
    when 'up' then context.migrate
    when 'down' then context.rollback(1)
    else ActiveRecord::Base.connection.assume_migrated_upto_version(version.to_i)
    end
    """

    def write(self, step: Step) -> None:
        def body(statements: tuple[str, ...]) -> str:
            return "".join(f"    execute <<~'SQL'\n      {one}\n    SQL\n" for one in statements)

        self.sql(
            f"code/{step.day}_{step.name}.rb",
            f"class {step.name.capitalize()} < ActiveRecord::Migration[6.1]\n"
            f"  def up\n{body(step.up)}  end\n  def down\n{body(step.down)}  end\nend\n",
        )
        self.sql(f"migrations/{step.day}_{step.name}.sql", step.text)

    def mark(self, step: Step) -> bool:
        return self._do("mark", step.day)


class Laravel(Interpreted):
    """Its migrator, without the rest."""

    name, case, version = "Laravel", "laravel", "8.83.26"
    packages = ("php-illuminate-database", "php-illuminate-filesystem", "php-cli", "php-pgsql")
    program = ("php",)
    script = """<?php
    foreach (['Database', 'Filesystem', 'Events'] as $part) {
        $file = "/usr/share/php/Illuminate/$part/autoload.php";
        if (is_file($file)) { require_once $file; }
    }
    [, $way, $host, $port, $database, $user] = $argv;
    $capsule = new Illuminate\\Database\\Capsule\\Manager;
    $capsule->addConnection(['driver' => 'pgsql', 'host' => $host, 'port' => $port,
        'database' => $database, 'username' => $user, 'password' => 'none', 'charset' => 'utf8']);
    $capsule->setAsGlobal();
    $manager = $capsule->getDatabaseManager();
    $table = new Illuminate\\Database\\Migrations\\DatabaseMigrationRepository(
        $manager, 'migrations');
    if (!$table->repositoryExists()) { $table->createRepository(); }
    $migrator = new Illuminate\\Database\\Migrations\\Migrator(
        $table, $manager, new Illuminate\\Filesystem\\Filesystem);
    if ($way === 'up') { $migrator->run(['code']); }
    else { $migrator->rollback(['code'], ['step' => 1]); }
    """

    def write(self, step: Step) -> None:
        def body(statements: tuple[str, ...]) -> str:
            call = "Illuminate\\Database\\Capsule\\Manager::statement"
            return "".join(f"{call}({json.dumps(one)});\n" for one in statements)

        name = f"2026_01_{step.number:02}_000000_{step.name}"
        self.sql(
            f"code/{name}.php",
            "<?php return new class extends Illuminate\\Database\\Migrations\\Migration {\n"
            f"public function up() {{\n{body(step.up)}}}\n"
            f"public function down() {{\n{body(step.down)}}}\n}};\n",
        )
        self.sql(f"migrations/{name}.sql", step.text)


KINDS = (Rails, Laravel)
