UPDATE touched SET v = id; TRUNCATE emptied; INSERT INTO filled SELECT generate_series(1, 3000); DELETE FROM bare WHERE ctid IN (SELECT ctid FROM bare LIMIT 2);
