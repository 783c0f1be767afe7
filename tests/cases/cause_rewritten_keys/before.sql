CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL UNIQUE);
CREATE TABLE posts (id int PRIMARY KEY, user_id int REFERENCES users);
INSERT INTO users (email) SELECT 'u' || i FROM generate_series(1, 20) i;
INSERT INTO posts SELECT i, i FROM generate_series(1, 20) i;
