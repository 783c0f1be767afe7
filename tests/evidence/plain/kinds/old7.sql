--
-- Selected TOC Entries:
--
\connect - postgres

--
-- TOC Entry ID 2 (OID 16385)
--
-- Name: ships Type: TABLE Owner: postgres
--

CREATE TABLE "ships" (
	"id" integer DEFAULT nextval('"ships_id_seq"'::text) NOT NULL,
	"name" character varying(40)
);

--
-- Data for TOC Entry ID 3 (OID 16385)
--
-- Name: ships Type: TABLE DATA Owner: postgres
--


COPY "ships" FROM stdin;
1	Aurora
2	\N
\.
--
-- TOC Entry ID 4 (OID 16390)
--
-- Name: "ships_pkey" Type: CONSTRAINT Owner: postgres
--

Alter table "ships" Add Constraint "ships_pkey" Primary Key ("id");

SELECT setval ('"ships_id_seq"', 2, true);
