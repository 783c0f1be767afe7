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
INSERT INTO public._yoyo_log VALUES ('af38fc04-ec32-11f1-980f-02fc00000001', '769e43156c3a5381df97d630ddf0627327bb49f0b382dea1643986456bea5624', '0001_boats', 'apply', 'root', 'localhost', NULL, '2026-11-29 20:23:05.766542');
INSERT INTO public._yoyo_log VALUES ('b11ce83c-ec32-11f1-8146-02fc00000001', '0335503184eed249861f29e0b660a06b0948c0b585bff89d1775a4ff0576fef9', '0002_trim', 'apply', 'root', 'localhost', NULL, '2026-11-29 20:23:08.919134');
INSERT INTO public._yoyo_log VALUES ('b1393906-ec32-11f1-8146-02fc00000001', '238532fa57f456cd6cc8f2c759eb2caed79bcbe7b8c4f87ad05a4613f2358038', '0003_again', 'apply', 'root', 'localhost', NULL, '2026-11-29 20:23:09.103501');
INSERT INTO public._yoyo_log VALUES ('b14be7ea-ec32-11f1-8146-02fc00000001', 'fc9e191d0d7b3214b80b9b024ea791ea4fe3eacbac104ac8163b073390936f1f', '0010_hull', 'apply', 'root', 'localhost', NULL, '2026-11-29 20:23:09.225934');
INSERT INTO public._yoyo_log VALUES ('bf56a546-ec32-11f1-be4a-02fc00000001', '46dc384e9f3cb903af459d3a9e433ea1a3adc48a8be244b15326108d66dfd921', '0011_late', 'apply', 'root', 'localhost', NULL, '2026-11-29 20:23:32.788292');
INSERT INTO public._yoyo_log VALUES ('c0cc7afe-ec32-11f1-9611-02fc00000001', '46dc384e9f3cb903af459d3a9e433ea1a3adc48a8be244b15326108d66dfd921', '0011_late', 'rollback', 'root', 'localhost', NULL, '2026-11-29 20:23:35.235924');
INSERT INTO public._yoyo_log VALUES ('c75f3c26-ec32-11f1-a0bc-02fc00000001', '80b487810d1105ce04a3a8f057733e854c70c6defd4ae94ed565dc17d30f5d86', '0013_marked', 'mark', 'root', 'localhost', NULL, '2026-11-29 20:23:46.263571');
INSERT INTO public._yoyo_migration VALUES ('769e43156c3a5381df97d630ddf0627327bb49f0b382dea1643986456bea5624', '0001_boats', '2026-11-29 20:23:05.797082');
INSERT INTO public._yoyo_migration VALUES ('0335503184eed249861f29e0b660a06b0948c0b585bff89d1775a4ff0576fef9', '0002_trim', '2026-11-29 20:23:08.96864');
INSERT INTO public._yoyo_migration VALUES ('238532fa57f456cd6cc8f2c759eb2caed79bcbe7b8c4f87ad05a4613f2358038', '0003_again', '2026-11-29 20:23:09.133622');
INSERT INTO public._yoyo_migration VALUES ('fc9e191d0d7b3214b80b9b024ea791ea4fe3eacbac104ac8163b073390936f1f', '0010_hull', '2026-11-29 20:23:09.265906');
INSERT INTO public._yoyo_migration VALUES ('80b487810d1105ce04a3a8f057733e854c70c6defd4ae94ed565dc17d30f5d86', '0013_marked', '2026-11-29 20:23:46.261773');
INSERT INTO public._yoyo_version VALUES (2, '2026-11-29 20:23:05.574023');
ALTER TABLE ONLY public._yoyo_log
    ADD CONSTRAINT _yoyo_log_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public._yoyo_migration
    ADD CONSTRAINT _yoyo_migration_pkey PRIMARY KEY (migration_hash);
ALTER TABLE ONLY public._yoyo_version
    ADD CONSTRAINT _yoyo_version_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.yoyo_lock
    ADD CONSTRAINT yoyo_lock_pkey PRIMARY KEY (locked);
