CREATE TABLE public.schemaversion (
  version bigint NOT NULL,
  name text,
  md5 text,
  run_at timestamp with time zone
);
INSERT INTO public.schemaversion VALUES (0, NULL, NULL, NULL);
INSERT INTO public.schemaversion VALUES (1, 'boats', 'c330194907de0e53764a4cae5dca9f55', '2026-11-29 12:56:52.574+00');
INSERT INTO public.schemaversion VALUES (2, 'trim', 'af418fea37962645010170bee439826f', '2026-11-29 12:56:52.587+00');
ALTER TABLE ONLY public.schemaversion
  ADD CONSTRAINT schemaversion_pkey PRIMARY KEY (version);
