-- update-where p v
UPDATE p SET v = '' WHERE v IS NULL;

-- update-where p v
INSERT INTO p (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET v = 'x';
