DELETE FROM boats WHERE id > 7;
