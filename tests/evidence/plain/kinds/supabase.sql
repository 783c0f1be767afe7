SET session_replication_role = replica;

--
-- PostgreSQL database dump
--

-- Dumped from database version 15.1
-- Dumped by pg_dump version 15.5 (Debian 15.5-1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET row_security = off;

--
-- Data for Name: profiles; Type: TABLE DATA; Schema: public; Owner: postgres
--

INSERT INTO "public"."profiles" ("id", "name", "meta") VALUES
	('c4ca4238-a0b9-2382-0dcc-509a6f75849b', 'a', '{"x": [1, 2]}'),
	('c4ca4238-a0b9-2382-0dcc-509a6f75849c', 'b', NULL);


--
-- Data for Name: empty_one; Type: TABLE DATA; Schema: public; Owner: postgres
--



--
-- PostgreSQL database dump complete
--

RESET ALL;
