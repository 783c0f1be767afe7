CREATE TABLE public._yoyo_log (
  id character varying(36) NOT NULL,
  migration_hash character varying(64),
  migration_id character varying(255),
  operation character varying(10),
  username character varying(255),
  hostname character varying(255),
  comment character varying(255),
  created_at_utc timestamp without time zone
);
CREATE TABLE public._yoyo_migration (
  migration_hash character varying(64) NOT NULL,
  migration_id character varying(255),
  applied_at_utc timestamp without time zone
);
CREATE TABLE public._yoyo_version (
  version integer NOT NULL,
  installed_at_utc timestamp without time zone
);
CREATE TABLE public.yoyo_lock (
  locked integer DEFAULT 1 NOT NULL,
  ctime timestamp without time zone,
  pid integer NOT NULL
);
INSERT INTO public._yoyo_log VALUES ('7c010efa-ebf4-11f1-9899-02fc00000001', '769e43156c3a5381df97d630ddf0627327bb49f0b382dea1643986456bea5624', '0001_boats', 'apply', 'ann', 'localhost', NULL, '2026-11-29 12:57:51.020586');
INSERT INTO public._yoyo_log VALUES ('7c07493c-ebf4-11f1-9899-02fc00000001', '0335503184eed249861f29e0b660a06b0948c0b585bff89d1775a4ff0576fef9', '0002_trim', 'apply', 'ann', 'localhost', NULL, '2026-11-29 12:57:51.059754');
INSERT INTO public._yoyo_migration VALUES ('769e43156c3a5381df97d630ddf0627327bb49f0b382dea1643986456bea5624', '0001_boats', '2026-11-29 12:57:51.033556');
INSERT INTO public._yoyo_migration VALUES ('0335503184eed249861f29e0b660a06b0948c0b585bff89d1775a4ff0576fef9', '0002_trim', '2026-11-29 12:57:51.061897');
INSERT INTO public._yoyo_version VALUES (2, '2026-11-29 12:57:50.954702');
ALTER TABLE ONLY public._yoyo_log
  ADD CONSTRAINT _yoyo_log_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public._yoyo_migration
  ADD CONSTRAINT _yoyo_migration_pkey PRIMARY KEY (migration_hash);
ALTER TABLE ONLY public._yoyo_version
  ADD CONSTRAINT _yoyo_version_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.yoyo_lock
  ADD CONSTRAINT yoyo_lock_pkey PRIMARY KEY (locked);
