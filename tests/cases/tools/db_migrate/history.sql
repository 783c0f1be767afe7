CREATE TABLE public.migrations (
  id integer NOT NULL,
  name character varying(255) NOT NULL,
  run_on timestamp without time zone NOT NULL
);
CREATE SEQUENCE public.migrations_id_seq
  AS integer
  START WITH 1
  INCREMENT BY 1
  NO MINVALUE
  NO MAXVALUE
  CACHE 1;
ALTER SEQUENCE public.migrations_id_seq OWNED BY public.migrations.id;
ALTER TABLE ONLY public.migrations ALTER COLUMN id SET DEFAULT nextval('public.migrations_id_seq'::regclass);
INSERT INTO public.migrations VALUES (1, '/20260101000000-boats', '2026-11-29 12:56:55.465');
INSERT INTO public.migrations VALUES (2, '/20260201000000-trim', '2026-11-29 12:56:55.505');
ALTER TABLE ONLY public.migrations
  ADD CONSTRAINT migrations_pkey PRIMARY KEY (id);
