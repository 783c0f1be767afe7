CREATE TABLE public.kysely_migration (
  name character varying(255) NOT NULL,
  "timestamp" character varying(255) NOT NULL
);
CREATE TABLE public.kysely_migration_lock (
  id character varying(255) NOT NULL,
  is_locked integer DEFAULT 0 NOT NULL
);
INSERT INTO public.kysely_migration VALUES ('2026_01_boats', '2026-11-29T12:56:52.386Z');
INSERT INTO public.kysely_migration VALUES ('2026_02_trim', '2026-11-29T12:56:52.388Z');
INSERT INTO public.kysely_migration_lock VALUES ('migration_lock', 0);
ALTER TABLE ONLY public.kysely_migration_lock
  ADD CONSTRAINT kysely_migration_lock_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.kysely_migration
  ADD CONSTRAINT kysely_migration_pkey PRIMARY KEY (name);
