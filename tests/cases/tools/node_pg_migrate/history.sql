CREATE TABLE public.pgmigrations (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    run_on timestamp without time zone NOT NULL
);
CREATE SEQUENCE public.pgmigrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.pgmigrations_id_seq OWNED BY public.pgmigrations.id;
ALTER TABLE ONLY public.pgmigrations ALTER COLUMN id SET DEFAULT nextval('public.pgmigrations_id_seq'::regclass);
INSERT INTO public.pgmigrations VALUES (1, '1700000000001_boats', '2026-11-29 17:35:12.514759');
INSERT INTO public.pgmigrations VALUES (2, '1700000000002_trim', '2026-11-29 17:35:16.327226');
INSERT INTO public.pgmigrations VALUES (3, '1700000000003_again', '2026-11-29 17:35:16.381491');
INSERT INTO public.pgmigrations VALUES (4, '1700000000010_hull', '2026-11-29 17:35:16.442119');
ALTER TABLE ONLY public.pgmigrations
    ADD CONSTRAINT pgmigrations_pkey PRIMARY KEY (id);
