UPDATE t SET v = U&'e\0301' WHERE id = 'a'; UPDATE t SET v = 'x' WHERE id = 'ä'; UPDATE t SET v = '' WHERE id = 'Z'; UPDATE t SET v = '' WHERE id = 'ß';
UPDATE t SET id = 'Ä' WHERE id = 'A'; UPDATE t SET c = 'x       ' WHERE id = 'z';
CREATE TABLE again AS SELECT * FROM t ORDER BY id DESC; TRUNCATE t; INSERT INTO t SELECT * FROM again; DROP TABLE again;
