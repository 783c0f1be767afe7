CREATE SCHEMA hdb_catalog;
CREATE TABLE hdb_catalog.hdb_version (
    hasura_uuid uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    version text NOT NULL,
    upgraded_on timestamptz NOT NULL DEFAULT now(),
    cli_state jsonb NOT NULL DEFAULT '{}'
);
INSERT INTO hdb_catalog.hdb_version (version, cli_state) VALUES
    ('47', '{"settings": {"migration_mode": "true"}, "migrations": {"default": {"1600000100000": false}}}');
