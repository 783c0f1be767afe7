DELETE FROM boats WHERE id IN (SELECT max(id) FROM boats);
