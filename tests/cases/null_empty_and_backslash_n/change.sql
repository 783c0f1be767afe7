UPDATE t SET v = '' WHERE id = 1;
UPDATE t SET v = '\N' WHERE id = 2;
UPDATE t SET v = NULL WHERE id = 3;
