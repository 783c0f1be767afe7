CREATE TABLE public.alembic_version (
  version_num character varying(32) NOT NULL
);
INSERT INTO public.alembic_version VALUES ('c3f0');
ALTER TABLE ONLY public.alembic_version
  ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
