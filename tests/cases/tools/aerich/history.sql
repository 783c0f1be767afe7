CREATE TABLE public.aerich (
  id integer NOT NULL,
  version character varying(255) NOT NULL,
  app character varying(100) NOT NULL,
  content jsonb NOT NULL
);
CREATE SEQUENCE public.aerich_id_seq
  AS integer
  START WITH 1
  INCREMENT BY 1
  NO MINVALUE
  NO MAXVALUE
  CACHE 1;
ALTER SEQUENCE public.aerich_id_seq OWNED BY public.aerich.id;
ALTER TABLE ONLY public.aerich ALTER COLUMN id SET DEFAULT nextval('public.aerich_id_seq'::regclass);
INSERT INTO public.aerich VALUES (1, '0_20261129125754_init.py', 'models', '{}');
INSERT INTO public.aerich VALUES (2, '1_20261129125756_hull.py', 'models', '{}');
ALTER TABLE ONLY public.aerich
  ADD CONSTRAINT aerich_pkey PRIMARY KEY (id);
