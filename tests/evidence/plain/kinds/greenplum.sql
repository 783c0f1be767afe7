--
-- Greenplum Database database dump
--

SET gp_default_storage_options = '';
SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET search_path = public, pg_catalog;

CREATE TABLE sales (
    id integer NOT NULL,
    region text
)
WITH (appendonly=true, orientation=column) DISTRIBUTED BY (id) PARTITION BY LIST(region)
          (
          PARTITION usa VALUES('usa') WITH (tablename='sales_1_prt_usa', appendonly=true ),
          DEFAULT PARTITION other  WITH (tablename='sales_1_prt_other', appendonly=true )
          );

--
-- Data for Name: sales; Type: TABLE DATA; Schema: public; Owner: gpadmin
--

COPY sales (id, region) FROM stdin;
1	usa
2	asia
\.

--
-- Greenplum Database database dump complete
--
