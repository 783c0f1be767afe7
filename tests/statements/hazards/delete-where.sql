-- delete-where p
DELETE FROM ONLY p AS x USING c WHERE c.p = x.id;

-- delete-where p
MERGE INTO p USING c ON c.p = p.id WHEN MATCHED THEN DELETE;
