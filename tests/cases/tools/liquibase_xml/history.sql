CREATE TABLE public.databasechangelog (
    id character varying(255) NOT NULL,
    author character varying(255) NOT NULL,
    filename character varying(255) NOT NULL,
    dateexecuted timestamp without time zone NOT NULL,
    orderexecuted integer NOT NULL,
    exectype character varying(10) NOT NULL,
    md5sum character varying(35),
    description character varying(255),
    comments character varying(255),
    tag character varying(255),
    liquibase character varying(20),
    contexts character varying(255),
    labels character varying(255),
    deployment_id character varying(10)
);
CREATE TABLE public.databasechangeloglock (
    id integer NOT NULL,
    locked boolean NOT NULL,
    lockgranted timestamp without time zone,
    lockedby character varying(255)
);
INSERT INTO public.databasechangelog VALUES ('1', 'ann', 'changes/001_boats.xml', '2026-11-29 20:33:56.258502', 1, 'EXECUTED', '9:785ecfb3f8c0946b361ab43121c317a4', 'sql; sql', '', NULL, '4.28.0', NULL, NULL, '5984436009');
INSERT INTO public.databasechangelog VALUES ('2', 'ann', 'changes/002_trim.xml', '2026-11-29 20:34:31.644566', 2, 'EXECUTED', '9:a8c9575237a410dc74f046dd87cf6b83', 'sql', '', NULL, '4.28.0', NULL, NULL, '5984471451');
INSERT INTO public.databasechangelog VALUES ('3', 'ann', 'changes/003_again.xml', '2026-11-29 20:34:31.721436', 3, 'EXECUTED', '9:a8c9575237a410dc74f046dd87cf6b83', 'sql', '', NULL, '4.28.0', NULL, NULL, '5984471451');
INSERT INTO public.databasechangelog VALUES ('10', 'ann', 'changes/010_hull.xml', '2026-11-29 20:34:31.77903', 4, 'EXECUTED', '9:b9fd0945b07641007c3c0df56ee6ea4e', 'sql', '', NULL, '4.28.0', NULL, NULL, '5984471451');
INSERT INTO public.databasechangeloglock VALUES (1, false, NULL, NULL);
ALTER TABLE ONLY public.databasechangeloglock
    ADD CONSTRAINT databasechangeloglock_pkey PRIMARY KEY (id);
