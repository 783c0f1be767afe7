CREATE TABLE public.gorp_migrations (
    id text NOT NULL,
    applied_at timestamp with time zone
);
INSERT INTO public.gorp_migrations VALUES ('0001_boats.sql', '2026-11-29 17:27:27.874024+00');
INSERT INTO public.gorp_migrations VALUES ('0002_trim.sql', '2026-11-29 17:27:29.020137+00');
INSERT INTO public.gorp_migrations VALUES ('0003_again.sql', '2026-11-29 17:27:29.074129+00');
INSERT INTO public.gorp_migrations VALUES ('0010_hull.sql', '2026-11-29 17:27:29.097165+00');
ALTER TABLE ONLY public.gorp_migrations
    ADD CONSTRAINT gorp_migrations_pkey PRIMARY KEY (id);
