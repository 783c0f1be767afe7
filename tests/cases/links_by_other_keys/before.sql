CREATE TABLE recipes (id int PRIMARY KEY, slug text NOT NULL UNIQUE);
CREATE TABLE ingredients (id int PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE kinds (id int PRIMARY KEY, code text NOT NULL UNIQUE);
CREATE TABLE recipe_ingredients (
  recipe_id int NOT NULL REFERENCES recipes, ingredient_id int NOT NULL REFERENCES ingredients, grams numeric(8, 2),
  PRIMARY KEY (recipe_id, ingredient_id));
CREATE TABLE recipe_kinds (recipe_id int REFERENCES recipes, kind_id int REFERENCES kinds, PRIMARY KEY (recipe_id, kind_id));
-- names that nobody declared, of a table with one column beside its key
CREATE TABLE mixes (id uuid PRIMARY KEY, title text);
CREATE TABLE tracks (id uuid PRIMARY KEY, name text);
CREATE TABLE mix_tracks (mix_id uuid, track_id uuid NOT NULL, position int, PRIMARY KEY (mix_id, position));
INSERT INTO recipes SELECT i, 'r' || i FROM generate_series(1, 20) i;
INSERT INTO ingredients SELECT i, 'i' || i FROM generate_series(1, 30) i;
INSERT INTO kinds SELECT i, 'K' || i FROM generate_series(1, 10) i;
INSERT INTO recipe_ingredients SELECT r, 1 + (r * 3 + k * 7) % 30, k * 10 FROM generate_series(1, 20) r, generate_series(1, 4) k;
INSERT INTO recipe_kinds SELECT i, 1 + i % 10 FROM generate_series(1, 20) i;
INSERT INTO mixes SELECT md5('m' || i)::uuid, 'mix' FROM generate_series(1, 6) i;
INSERT INTO tracks SELECT md5('t' || i)::uuid, 'track' FROM generate_series(1, 30) i;
INSERT INTO mix_tracks SELECT md5('m' || m)::uuid, md5('t' || 1 + (m * 5 + k * 3) % 30)::uuid, k FROM generate_series(1, 6) m, generate_series(1, 4) k;
