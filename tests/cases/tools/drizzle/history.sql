CREATE SCHEMA drizzle;
CREATE TABLE drizzle.__drizzle_migrations (
  id integer NOT NULL,
  hash text NOT NULL,
  created_at bigint
);
CREATE SEQUENCE drizzle.__drizzle_migrations_id_seq
  AS integer
  START WITH 1
  INCREMENT BY 1
  NO MINVALUE
  NO MAXVALUE
  CACHE 1;
ALTER SEQUENCE drizzle.__drizzle_migrations_id_seq OWNED BY drizzle.__drizzle_migrations.id;
ALTER TABLE ONLY drizzle.__drizzle_migrations ALTER COLUMN id SET DEFAULT nextval('drizzle.__drizzle_migrations_id_seq'::regclass);
INSERT INTO drizzle.__drizzle_migrations VALUES (1, 'baa351eeb3eba8d6db087de489504aaadc328b78454fcc9e7399329561938a26', 1767225600000);
INSERT INTO drizzle.__drizzle_migrations VALUES (2, 'dcc5988bab229262b8ae2e59cfca96a179f010817f6703c7c90be1057c4ffdd7', 1769904000123);
INSERT INTO drizzle.__drizzle_migrations VALUES (3, 'dcc5988bab229262b8ae2e59cfca96a179f010817f6703c7c90be1057c4ffdd7', 1772323200456);
ALTER TABLE ONLY drizzle.__drizzle_migrations
  ADD CONSTRAINT __drizzle_migrations_pkey PRIMARY KEY (id);
