DELETE FROM t a USING t b WHERE a.ctid > b.ctid AND a.id = b.id; ALTER TABLE t ADD PRIMARY KEY (id); UPDATE t SET v = 'other' WHERE id = 3;
