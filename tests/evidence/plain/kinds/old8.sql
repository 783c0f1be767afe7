--
-- PostgreSQL database dump
--

SET client_encoding = 'SQL_ASCII';
SET check_function_bodies = false;
SET client_min_messages = warning;

SET search_path = public, pg_catalog;

SET default_tablespace = '';

SET default_with_oids = true;

--
-- Name: crew; Type: TABLE; Schema: public; Owner: postgres; Tablespace: 
--

CREATE TABLE crew (
    id serial NOT NULL,
    "window" text
);


--
-- Name: crew_id_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence('crew', 'id'), 2, true);


--
-- Data for Name: crew; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY crew (id, "window") FROM stdin;
1	a
2	b
\.


--
-- PostgreSQL database dump complete
--

