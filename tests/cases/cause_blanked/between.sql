UPDATE cache SET note = 'seen' WHERE id = 1;
