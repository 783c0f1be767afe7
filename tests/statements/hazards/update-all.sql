-- update-all p v
-- update-all p t
UPDATE p SET v = '', t = now();
