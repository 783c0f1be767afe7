--
-- PostgreSQL database dump
--

-- Dumped from database version 14.9
-- Dumped by pg_dump version 14.9

CREATE TABLE public.lot (
    id integer NOT NULL,
    note text
);


--
-- Data for Name: lot; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.lot (id, note) FROM stdin;
1	a
pg_dump: warning: could not resolve dependency loop
2	bWARNING:  terminating connection because of crash of another server process
3	c
NOTICE:  something
4	d
\.


--
-- PostgreSQL database dump complete
--
