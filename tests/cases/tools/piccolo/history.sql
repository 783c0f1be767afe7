CREATE TABLE public.migration (
    id integer NOT NULL,
    name character varying(200) DEFAULT ''::character varying NOT NULL,
    app_name character varying(200) DEFAULT ''::character varying NOT NULL,
    ran_on timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
CREATE SEQUENCE public.migration_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.migration_id_seq OWNED BY public.migration.id;
ALTER TABLE ONLY public.migration ALTER COLUMN id SET DEFAULT nextval('public.migration_id_seq'::regclass);
INSERT INTO public.migration VALUES (1, '2026-01-01T00:00:00:000000', 'yard', '2026-11-29 17:30:21.343989');
INSERT INTO public.migration VALUES (2, '2026-01-02T00:00:00:000000', 'yard', '2026-11-29 17:30:31.823114');
INSERT INTO public.migration VALUES (3, '2026-01-03T00:00:00:000000', 'yard', '2026-11-29 17:30:32.109857');
INSERT INTO public.migration VALUES (4, '2026-01-10T00:00:00:000000', 'yard', '2026-11-29 17:30:32.431877');
ALTER TABLE ONLY public.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (id);
