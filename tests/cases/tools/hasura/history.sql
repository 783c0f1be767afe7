CREATE SCHEMA hdb_catalog;
CREATE TABLE hdb_catalog.schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL);
INSERT INTO hdb_catalog.schema_migrations VALUES (1600000200000, true), (1600000100000, false);
