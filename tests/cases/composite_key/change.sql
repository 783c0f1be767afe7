DELETE FROM t WHERE a = '1';
UPDATE t SET v = 9 WHERE a = 'ab';
INSERT INTO t VALUES ('x', '', 5);
