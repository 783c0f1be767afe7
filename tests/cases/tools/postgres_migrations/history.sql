CREATE TABLE public.migrations (
  id integer NOT NULL,
  name character varying(100) NOT NULL,
  hash character varying(40) NOT NULL,
  executed_at timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO public.migrations VALUES (0, 'create-migrations-table', 'e18db593bcde2aca2a408c4d1100f6abba2195df', '2026-11-29 12:56:53.36392');
INSERT INTO public.migrations VALUES (1, 'boats', 'd8efadb5547f7cceba5cbb3c9fd6ef3be0c51cfb', '2026-11-29 12:56:53.385851');
INSERT INTO public.migrations VALUES (2, 'trim', 'e4b180db0e0289ea710ff3d1ea94ffd5855066c9', '2026-11-29 12:56:53.409422');
ALTER TABLE ONLY public.migrations
  ADD CONSTRAINT migrations_name_key UNIQUE (name);
ALTER TABLE ONLY public.migrations
  ADD CONSTRAINT migrations_pkey PRIMARY KEY (id);
