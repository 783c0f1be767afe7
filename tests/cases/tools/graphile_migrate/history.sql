CREATE SCHEMA graphile_migrate;
CREATE TABLE graphile_migrate.current (
  filename text DEFAULT 'current.sql'::text NOT NULL,
  content text NOT NULL,
  date timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE graphile_migrate.migrations (
  hash text NOT NULL,
  previous_hash text,
  filename text NOT NULL,
  date timestamp with time zone DEFAULT now() NOT NULL
);
INSERT INTO graphile_migrate.migrations VALUES ('sha1:60322e4ad64b67cc63cd846335fa6de339efdca4', NULL, '000001.sql', '2026-11-29 12:56:54.718179+00');
INSERT INTO graphile_migrate.migrations VALUES ('sha1:fc54a8b1967b17cf16e1357bdafbebb858a04c12', 'sha1:60322e4ad64b67cc63cd846335fa6de339efdca4', '000002.sql', '2026-11-29 12:56:54.728307+00');
ALTER TABLE ONLY graphile_migrate.current
  ADD CONSTRAINT current_pkey PRIMARY KEY (filename);
ALTER TABLE ONLY graphile_migrate.migrations
  ADD CONSTRAINT migrations_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY graphile_migrate.migrations
  ADD CONSTRAINT migrations_previous_hash_fkey FOREIGN KEY (previous_hash) REFERENCES graphile_migrate.migrations(hash);
