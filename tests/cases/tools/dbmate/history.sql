CREATE TABLE public.schema_migrations (
    version character varying NOT NULL
);
INSERT INTO public.schema_migrations VALUES ('20260101000000');
INSERT INTO public.schema_migrations VALUES ('20260102000000');
INSERT INTO public.schema_migrations VALUES ('20260103000000');
INSERT INTO public.schema_migrations VALUES ('20260110000000');
ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);
