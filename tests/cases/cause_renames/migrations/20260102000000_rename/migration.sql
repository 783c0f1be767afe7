ALTER TABLE clients RENAME TO customers;
ALTER TABLE notes RENAME COLUMN body TO content;
