ALTER TABLE t ALTER j TYPE jsonb, ALTER u TYPE uuid USING u::uuid, ALTER c TYPE text, ALTER n TYPE numeric(14, 5), ALTER d TYPE timestamp, ALTER v TYPE text;
UPDATE t SET j = '{"a": 2}' WHERE id = 5; UPDATE t SET n = 7 WHERE id = 6; UPDATE t SET c = c || ' ' WHERE id = 7; DELETE FROM t WHERE id > 58;
ALTER TABLE keyed ALTER id TYPE uuid USING id::uuid; DELETE FROM keyed WHERE v = 3; UPDATE keyed SET v = 99 WHERE v = 4;
ALTER TABLE wide ALTER id TYPE bigint; DELETE FROM wide WHERE id = 9;
