DELETE FROM boats WHERE id IN (SELECT min(id) FROM boats);
