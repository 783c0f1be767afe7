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
INSERT INTO public.databasechangelog VALUES ('1', 'ann', 'migrations/001_boats.sql', '2026-11-29 17:31:02.914812', 1, 'EXECUTED', '9:6274ae05cfab00a7a3cf5bf1f4987385', 'sql', '', NULL, '4.28.0', NULL, NULL, '5973461729');
INSERT INTO public.databasechangelog VALUES ('2', 'ann', 'migrations/002_trim.sql', '2026-11-29 17:31:53.73443', 2, 'EXECUTED', '9:642d68c97af5f1e02b4c5425b1d64fb7', 'sql', '', NULL, '4.28.0', NULL, NULL, '5973513051');
INSERT INTO public.databasechangelog VALUES ('3', 'ann', 'migrations/003_again.sql', '2026-11-29 17:31:54.018166', 3, 'EXECUTED', '9:642d68c97af5f1e02b4c5425b1d64fb7', 'sql', '', NULL, '4.28.0', NULL, NULL, '5973513051');
INSERT INTO public.databasechangelog VALUES ('10', 'ann', 'migrations/010_hull.sql', '2026-11-29 17:31:54.200317', 4, 'EXECUTED', '9:be081d278694d29c6f8055dbf6c5a4be', 'sql', '', NULL, '4.28.0', NULL, NULL, '5973513051');
INSERT INTO public.databasechangeloglock VALUES (1, false, NULL, NULL);
ALTER TABLE ONLY public.databasechangeloglock
    ADD CONSTRAINT databasechangeloglock_pkey PRIMARY KEY (id);
