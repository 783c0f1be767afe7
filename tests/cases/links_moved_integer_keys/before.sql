CREATE TABLE posts (id int PRIMARY KEY, title text NOT NULL, stars int NOT NULL);
CREATE TABLE tags (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE post_tags (post_id int NOT NULL REFERENCES posts, tag_id int NOT NULL REFERENCES tags, PRIMARY KEY (post_id, tag_id));
INSERT INTO posts SELECT i, 'Post ' || i, 1 FROM generate_series(1, 9) i;
INSERT INTO tags SELECT i, 'tag ' || i FROM generate_series(1, 5) i;
INSERT INTO post_tags SELECT p, t FROM generate_series(1, 9) p, generate_series(1, 4) t;
