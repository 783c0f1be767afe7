DELETE FROM ends WHERE id IN (-500, 500); INSERT INTO ends VALUES (-1000, 'before'), (1000, 'after');
DELETE FROM a_b WHERE (a_id, b_id) IN ((1, 2), (40, 38)); INSERT INTO a_b VALUES (1, 1); DELETE FROM "_AToB" WHERE "A" > 20; INSERT INTO "_AToB" VALUES (2, 2); DELETE FROM renumbered WHERE id % 2 = 0;
