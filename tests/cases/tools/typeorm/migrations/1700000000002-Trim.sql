DELETE FROM boats WHERE id > 6;
