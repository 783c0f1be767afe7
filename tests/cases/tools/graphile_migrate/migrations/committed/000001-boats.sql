--! Previous: -
--! Hash: sha1:60322e4ad64b67cc63cd846335fa6de339efdca4
--! Message: boats

CREATE TABLE boats (id int PRIMARY KEY, name text);
INSERT INTO boats SELECT i, 'b' || i FROM generate_series(1, 9) i;
