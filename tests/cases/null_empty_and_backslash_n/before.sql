-- NULL, the empty string and the two characters \N are three things.
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t VALUES (1, NULL), (2, ''), (3, '\N'), (4, E'\\.'), (5, E'tab\there'), (6, E'cr\r\nlf'), (7, E'back\\slash'), (8, 'COPY t FROM stdin;'), (9, E'\u001b[31m');
