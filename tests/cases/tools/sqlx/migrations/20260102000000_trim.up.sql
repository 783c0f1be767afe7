DELETE FROM boats WHERE id = (SELECT max(id) FROM boats);
