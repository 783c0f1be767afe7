DELETE FROM memberships WHERE id IN (1, 2, 4, 5, 6);
-- one row comes back for two that went; row 3 says another role; row 7 changes into what row 6 said, and user 4 holds no link any more
INSERT INTO memberships VALUES (101, 1, 1, 'z'), (104, 2, 2, 'new');
UPDATE memberships SET user_id = 3 WHERE id = 7;
