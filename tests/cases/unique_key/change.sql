UPDATE named SET v = 9 WHERE code = 'a'; UPDATE nullable SET v = 9 WHERE v = 3; UPDATE deferred SET v = 9 WHERE code = 'a';
UPDATE partial SET v = -9 WHERE v = -1; UPDATE together SET v = 9 WHERE code IS NULL;
