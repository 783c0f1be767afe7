CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL UNIQUE);
CREATE TABLE roles (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE clubs (id int PRIMARY KEY, motto text);
CREATE TABLE user_roles (
  user_id int NOT NULL REFERENCES users ON DELETE CASCADE, role_id int NOT NULL REFERENCES roles ON DELETE CASCADE,
  granted_at timestamptz NOT NULL DEFAULT '2025-12-01 00:00Z', PRIMARY KEY (user_id, role_id));
CREATE TABLE club_users (club_id int REFERENCES clubs, user_id int REFERENCES users, PRIMARY KEY (club_id, user_id));
INSERT INTO users (email) SELECT 'u' || i || '@example.org' FROM generate_series(1, 50) i;
INSERT INTO roles (name) SELECT 'role ' || i FROM generate_series(1, 6) i;
INSERT INTO clubs SELECT i, 'm' || i % 3 FROM generate_series(1, 5) i;
INSERT INTO user_roles SELECT u, 1 + (u + k) % 6 FROM generate_series(1, 50) u, generate_series(0, 1) k;
INSERT INTO club_users SELECT 1 + u % 5, u FROM generate_series(1, 50) u;
