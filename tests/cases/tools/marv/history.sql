CREATE TABLE public.migrations (
  level integer NOT NULL,
  comment text,
  "timestamp" timestamp with time zone,
  checksum text,
  namespace text DEFAULT 'default'::text NOT NULL
);
CREATE TABLE public.migrations_lock (
  dummy_column integer DEFAULT 1 NOT NULL
);
INSERT INTO public.migrations VALUES (1, 'boats', '2026-11-29 12:56:53.231+00', 'c330194907de0e53764a4cae5dca9f55', 'default');
INSERT INTO public.migrations VALUES (2, 'trim', '2026-11-29 12:56:53.231+00', 'af418fea37962645010170bee439826f', 'default');
ALTER TABLE ONLY public.migrations
  ADD CONSTRAINT migrations_pkey PRIMARY KEY (level, namespace);
