--
-- PostgreSQL database dump
--

-- Dumped from database version 14.9
-- Dumped by pg_dump version 14.9

SET row_security = off;

CREATE TABLE public.lot (
    id integer NOT NULL,
    note text,
    at date
);


CREATE TABLE public.bid (
    id integer NOT NULL,
    lot_id integer
);


--
-- Data for Name: bid; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.bid (id, lot_id) FROM stdin;
1	1
2	2
\.


--
-- Data for Name: lot; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.lot (id, note, at) FROM stdin;
1	a	2020-01-01
2	b	\N
3	c	2021-01-01
\.



--
-- PostgreSQL database dump complete
--

