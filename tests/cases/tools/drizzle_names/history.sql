CREATE SCHEMA drizzle;
CREATE TABLE drizzle.__drizzle_migrations (
  id integer NOT NULL,
  hash text NOT NULL,
  created_at bigint,
  name text,
  applied_at timestamp with time zone DEFAULT now()
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
INSERT INTO drizzle.__drizzle_migrations VALUES (1, '000f8f2a2ca69397b9967402959c63a42136ec1d73fe99db90478a5faaf541ef', 1767225600000, '20260101000000_boats', '2026-11-29 13:12:57.030642+00');
INSERT INTO drizzle.__drizzle_migrations VALUES (2, 'dcc5988bab229262b8ae2e59cfca96a179f010817f6703c7c90be1057c4ffdd7', 1769904000000, '20260201000000_trim', '2026-11-29 13:12:57.030642+00');
INSERT INTO drizzle.__drizzle_migrations VALUES (3, 'dcc5988bab229262b8ae2e59cfca96a179f010817f6703c7c90be1057c4ffdd7', 1772323200000, '20260301000000_again', '2026-11-29 13:12:57.030642+00');
ALTER TABLE ONLY drizzle.__drizzle_migrations
  ADD CONSTRAINT __drizzle_migrations_pkey PRIMARY KEY (id);
