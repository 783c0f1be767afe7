CREATE TABLE public."SequelizeMeta" (
    name character varying(255) NOT NULL
);
INSERT INTO public."SequelizeMeta" VALUES ('20260101000000-boats.js');
INSERT INTO public."SequelizeMeta" VALUES ('20260102000000-trim.js');
INSERT INTO public."SequelizeMeta" VALUES ('20260103000000-again.js');
INSERT INTO public."SequelizeMeta" VALUES ('20260110000000-hull.js');
ALTER TABLE ONLY public."SequelizeMeta"
    ADD CONSTRAINT "SequelizeMeta_pkey" PRIMARY KEY (name);
